#include "testkit/explore/mutation.hpp"

#include <fstream>
#include <map>
#include <tuple>

#include "testkit/explore/internal/call_places.hpp"
#include "testkit/explore/internal/mutants.hpp"

namespace kith::testkit::explore {
namespace {

using Site = std::tuple<std::string, std::uint32_t, std::uint32_t>;  // file, line, column
struct Use {
  Access access;
  std::memory_order order;
  std::memory_order failure;
};
using Uses = std::map<Site, Use>;

Uses* collecting = nullptr;
const Mutant* applied = nullptr;
std::uint64_t applied_uses = 0;

// One step weaker; two where an order is two halves.
std::vector<Mutation> weaker(const Use& use) {
  switch (use.order) {
    case std::memory_order_seq_cst:
      if (use.access == Access::load) return {Mutation::acquire};
      if (use.access == Access::store) return {Mutation::release};
      return {Mutation::acq_rel};
    case std::memory_order_acq_rel:
      return {Mutation::acquire, Mutation::release};
    case std::memory_order_acquire:
    case std::memory_order_consume:
    case std::memory_order_release:
      if (use.access == Access::fence) return {};  // `skipped` is the same
      return {Mutation::relaxed};
    case std::memory_order_relaxed:
      break;
  }
  return {};
}

std::vector<Mutation> mutations_of(const Use& use) {
  std::vector<Mutation> all = weaker(use);
  switch (use.access) {
    case Access::load:
      all.push_back(Mutation::remembered);
      break;
    case Access::store:
    case Access::change:
    case Access::fence:
      all.push_back(Mutation::skipped);
      break;
    case Access::compare:
      if (use.failure == std::memory_order_seq_cst) all.push_back(Mutation::failure_acquire);
      if (use.failure == std::memory_order_acquire) all.push_back(Mutation::failure_relaxed);
      all.push_back(Mutation::skipped);
      all.push_back(Mutation::unconditional);
      break;
    case Access::call:
      break;  // has its own
  }
  return all;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first == std::string::npos ? std::string() : line.substr(first);
}

bool is_comment(const std::string& line) {
  return trimmed(line).starts_with("//");
}

bool ends_a_statement(const std::string& line) {
  const std::string code = line.substr(0, line.find("//"));
  const std::size_t last = code.find_last_not_of(' ');
  return last == std::string::npos || std::string(";{}:").find(code[last]) != std::string::npos;
}

// The comment above the statement that the line belongs to, and those beside its lines.
std::string comments_at(const std::vector<std::string>& lines, std::size_t line) {
  if (line == 0 || line > lines.size()) return {};
  std::size_t first = line - 1;
  while (first > 0 && !is_comment(lines[first - 1]) && !ends_a_statement(lines[first - 1])) --first;
  std::size_t above = first;
  while (above > 0 && is_comment(lines[above - 1])) --above;
  std::string text;
  for (std::size_t i = above; i < first; ++i) text += trimmed(lines[i]).substr(2);
  for (std::size_t i = first; i < line; ++i) {
    const std::size_t beside = lines[i].find("//");
    if (beside != std::string::npos) text += lines[i].substr(beside + 2);
  }
  return text;
}

// What follows the words up to the next of its kind; empty if they are not there.
std::string reason_at(const Mutant& mutant, const std::string& kind) {
  const std::string text = comments_at(lines_of(mutant.file), mutant.line);
  const std::string call = mutant.call.empty() ? std::string() : mutant.call + " ";
  const std::string words = kind + call + to_string(mutant.mutation) + ":";
  const std::size_t at = text.find(words);
  if (at == std::string::npos) return {};
  std::string reason = text.substr(at + words.size());
  for (const char* next : {"equivalent if ", "unseen if "}) {
    reason = reason.substr(0, reason.find(next));
  }
  return trimmed(reason);
}

}  // namespace

std::string to_string(Mutation mutation) {
  switch (mutation) {
    case Mutation::none:
      return "as it is";
    case Mutation::acquire:
      return "acquire";
    case Mutation::release:
      return "release";
    case Mutation::acq_rel:
      return "acq_rel";
    case Mutation::relaxed:
      return "relaxed";
    case Mutation::failure_acquire:
      return "failure_acquire";
    case Mutation::failure_relaxed:
      return "failure_relaxed";
    case Mutation::skipped:
      return "skipped";
    case Mutation::remembered:
      return "remembered";
    case Mutation::unconditional:
      return "unconditional";
  }
  return "?";
}

std::string to_string(const Mutant& mutant) {
  static constexpr const char* kAccesses[] = {"load", "store", "change", "compare", "fence"};
  const std::string what = mutant.access == Access::call
                               ? mutant.call
                               : kAccesses[static_cast<std::size_t>(mutant.access)];
  return mutant.file.substr(mutant.file.rfind('/') + 1) + ":" + std::to_string(mutant.line) + " " +
         what + ", " + to_string(mutant.mutation);
}

std::vector<Mutant> mutants_of(const std::function<void()>& runs, const std::string& within,
                               const std::string& through) {
  Uses uses;
  internal::CallPlaces calls;
  collecting = &uses;
  if (!through.empty()) internal::collect_calls(&calls);
  runs();
  internal::collect_calls(nullptr);
  collecting = nullptr;
  std::vector<Mutant> mutants;
  for (const auto& [place, use] : uses) {
    const auto& [file, line, column] = place;
    if (file.find(within) == std::string::npos) continue;
    for (const Mutation mutation : mutations_of(use)) {
      mutants.push_back({file, line, column, use.access, mutation});
    }
  }
  const std::vector<Mutant> of_calls = calls.mutants(within, through);
  mutants.insert(mutants.end(), of_calls.begin(), of_calls.end());
  return mutants;
}

std::string why_equivalent(const Mutant& mutant) {
  return reason_at(mutant, "equivalent if ");
}

std::string why_unseen(const Mutant& mutant) {
  return reason_at(mutant, "unseen if ");
}

Mutated::Mutated(const Mutant& mutant) {
  applied = new Mutant(mutant);
  applied_uses = 0;
  internal::apply_to_calls(applied);
}

Mutated::~Mutated() {
  internal::apply_to_calls(nullptr);
  delete applied;
  applied = nullptr;
}

std::uint64_t Mutated::uses() const {
  return applied_uses;
}

namespace internal {

bool a_mutant_remembers() noexcept {
  return applied != nullptr && applied->mutation == Mutation::remembered;
}

Mutation mutation_at(const Place& at, Access access, std::memory_order order,
                     std::memory_order failure) {
  if (collecting != nullptr) {
    collecting->try_emplace({at.file_name(), at.line(), at.column()}, Use{access, order, failure});
  }
  if (applied == nullptr || applied->access == Access::call || at.line() != applied->line ||
      at.column() != applied->column || applied->file != at.file_name()) {
    return Mutation::none;
  }
  // One that remembers does something only where there was an earlier look: it counts itself.
  if (applied->mutation != Mutation::remembered) ++applied_uses;
  return applied->mutation;
}

void count_use() noexcept {
  ++applied_uses;
}

}  // namespace internal
}  // namespace kith::testkit::explore
