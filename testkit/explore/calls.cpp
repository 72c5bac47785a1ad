#include "testkit/explore/calls.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <link.h>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "testkit/explore/internal/call_places.hpp"
#include "testkit/explore/internal/engine.hpp"
#include "testkit/explore/internal/mutants.hpp"

namespace kith::testkit::explore::internal {

bool calls_matter = false;

namespace {

CallPlaces* collecting = nullptr;
const Mutant* applied = nullptr;

// Return addresses, the innermost first. Frames lie higher and higher, and not far from each other;
// what does not look like one ends the walk.
CallPlaces::Stack stack_from(const void* frame) {
  constexpr std::uintptr_t kFrameMax = 1 << 16;
  CallPlaces::Stack stack{};
  auto at = reinterpret_cast<std::uintptr_t>(frame);
  for (std::uintptr_t& address : stack) {
    const auto* words = reinterpret_cast<const std::uintptr_t*>(at);
    address = words[1];
    const std::uintptr_t next = words[0];
    if (next <= at || next - at > kFrameMax || next % sizeof next != 0) break;
    at = next;
  }
  return stack;
}

Engine* at_work() {
  Engine* engine = Engine::current();
  return engine != nullptr && engine->in_process() ? engine : nullptr;
}

std::uintptr_t where_the_program_lies() {
  std::uintptr_t base = 0;
  const auto first = [](dl_phdr_info* info, std::size_t, void* to) {
    *static_cast<std::uintptr_t*>(to) = info->dlpi_addr;
    return 1;
  };
  dl_iterate_phdr(first, &base);
  return base;
}

struct Frame {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
};
using Frames = std::vector<Frame>;  // of one address: what was inlined there, the innermost first

// addr2line's answer for some addresses: each "0x...", then pairs of lines, "function" and
// "file:line".
std::map<std::uintptr_t, Frames> frames_from(std::istream& answer) {
  std::map<std::uintptr_t, Frames> all;
  Frames* frames = nullptr;
  for (std::string line; std::getline(answer, line);) {
    if (line.starts_with("0x")) {
      frames = &all[std::stoull(line, nullptr, 16)];
      continue;
    }
    std::string place;
    std::getline(answer, place);
    const std::size_t colon = place.rfind(':');
    if (frames == nullptr || colon == std::string::npos) continue;
    Frame frame{line, place.substr(0, colon), 0};
    std::istringstream(place.substr(colon + 1)) >> frame.line;
    frames->push_back(std::move(frame));
  }
  return all;
}

std::map<std::uintptr_t, Frames> frames_of(const std::vector<std::uintptr_t>& addresses) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  std::ostringstream command;
  command << "addr2line -a -f -i -C -e '" << program << "'" << std::hex;
  for (const std::uintptr_t address : addresses) command << " 0x" << address;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.str().c_str(), "r"),
                                                             pclose);
  std::string text;
  std::array<char, 4096> some;
  for (std::size_t got = 1; pipe && got > 0;) {
    got = std::fread(some.data(), 1, some.size(), pipe.get());
    text.append(some.data(), got);
  }
  std::istringstream answer(text);
  auto frames = frames_from(answer);
  if (frames.empty())
    throw std::runtime_error("addr2line, of binutils, is needed and said nothing");
  return frames;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

bool is_mutated_call(const char* name, Mutation mutation, const void* frame) {
  if (at_work() == nullptr) return false;
  if (collecting != nullptr) collecting->add(name, mutation, stack_from(frame));
  if (applied == nullptr || applied->call != name) return false;
  const CallPlaces::Stack stack = stack_from(frame);
  const bool is_here = std::any_of(stack.begin(), stack.end(), [](std::uintptr_t address) {
    return std::binary_search(applied->addresses.begin(), applied->addresses.end(), address);
  });
  if (is_here && mutation != Mutation::remembered) count_use();
  return is_here;
}

void collect_calls(CallPlaces* to) {
  collecting = to;
  calls_matter = to != nullptr;
}

void apply_to_calls(const Mutant* mutant) {
  applied = mutant != nullptr && mutant->access == Access::call ? mutant : nullptr;
  calls_matter = applied != nullptr;
}

void CallPlaces::add(const char* name, Mutation mutation, const Stack& stack) {
  calls_.insert({name, mutation, stack});
}

std::vector<Mutant> CallPlaces::mutants(const std::string& within,
                                        const std::string& through) const {
  // A return address is that of the next instruction, which may belong to the next statement.
  const std::uintptr_t base = where_the_program_lies() + 1;
  std::set<std::uintptr_t> addresses;
  for (const Call& call : calls_) {
    for (const std::uintptr_t address : call.stack) {
      if (address >= base) addresses.insert(address - base);
    }
  }
  if (addresses.empty()) return {};
  const auto frames = frames_of({addresses.begin(), addresses.end()});
  std::map<std::tuple<std::string, std::uint32_t, std::string>, Mutant> found;
  for (const Call& call : calls_) {
    // The first frame outside of what calls go through.
    for (const std::uintptr_t address : call.stack) {
      const auto known = frames.find(address - base);
      if (known == frames.end()) break;
      const Frames& inlined = known->second;
      const auto destructs = [](const Frame& frame) { return contains(frame.function, "::~"); };
      const auto caller = std::find_if(inlined.begin(), inlined.end(), [&](const Frame& frame) {
        return !contains(frame.file, through);
      });
      if (std::any_of(inlined.begin(), caller, destructs)) break;
      if (caller == inlined.end()) continue;
      if (!contains(caller->file, within)) break;
      Mutant& mutant = found[{caller->file, caller->line, call.name}];
      mutant = {caller->file,
                caller->line,
                0,
                Access::call,
                call.mutation,
                call.name,
                std::move(mutant.addresses)};
      mutant.addresses.push_back(address);
      break;
    }
  }
  std::vector<Mutant> mutants;
  for (auto& [place, mutant] : found) {
    auto& all = mutant.addresses;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    mutants.push_back(std::move(mutant));
  }
  return mutants;
}

}  // namespace kith::testkit::explore::internal

namespace kith::testkit::explore {

void keep_answer(const std::string& thing, std::any answer) {
  if (internal::Engine* engine = internal::at_work()) {
    engine->self().answers[thing] = std::move(answer);
  }
}

const std::any* kept_answer(const std::string& thing) {
  internal::Engine* engine = internal::at_work();
  if (engine == nullptr) return nullptr;
  const auto& answers = engine->self().answers;
  const auto found = answers.find(thing);
  return found == answers.end() ? nullptr : &found->second;
}

}  // namespace kith::testkit::explore
