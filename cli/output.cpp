#include "cli/output.hpp"

#include <cstdio>
#include <fmt/format.h>

#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

void write_line(std::FILE* file, const std::string& line) {
  // One call, so that the lines of several processes stay whole.
  std::fwrite(line.data(), 1, line.size(), file);
}

// Bytes of strangers need not be UTF-8; what is none is replaced, and all else is escaped.
std::string dumped(const Json& document, int indent) {
  return document.dump(indent, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

int exit_code_of(const Error& error) {
  if (error.errc() == Errc::not_found) return kNotFound;
  // Only a mesh creates anything, and what it finds there is another mesh.
  if (error.errc() == Errc::in_use || error.errc() == Errc::already_exists) return kInUse;
  return kProblem;
}

const char* word_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::permission_denied:
      return "permission_denied";
    case Errc::wrong_owner:
      return "wrong_owner";
    case Errc::not_ours:
      return "not_ours";
    case Errc::wrong_type:
      return "wrong_type";
    case Errc::wrong_version:
      return "wrong_version";
    case Errc::damaged:
      return "damaged";
    case Errc::no_space:
      return "no_space";
    case Errc::limit_reached:
      return "limit_reached";
    case Errc::invalid_name:
      return "invalid_name";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::timed_out:
      return "timed_out";
    case Errc::in_use:
      return "in_use";
    case Errc::orphaned:
      return "orphaned";
    case Errc::role_taken:
      return "role_taken";
    case Errc::table_full:
      return "table_full";
    case Errc::forked:
      return "forked";
    case Errc::unsupported:
      return "unsupported";
    case Errc::owner_died:
      return "owner_died";
    case Errc::would_deadlock:
      return "would_deadlock";
    case Errc::not_owner:
      return "not_owner";
    case Errc::retired:
      return "retired";
    case Errc::system:
      break;
  }
  return "system";
}

Complaint::Complaint(const Error& error)
    : code(word_of(error.errc())), text(error.what()), parts(error.text()) {}

void complain(const Complaint& complaint, bool json) {
  if (!json) return complain(printable(complaint.text));
  Json error = {{"code", complaint.code}, {"text", complaint.text}};
  const auto add = [&error](const char* key, const std::string& text) {
    if (!text.empty()) error[key] = text;
  };
  add("object", complaint.parts.object);
  add("expected", complaint.parts.expected);
  add("found", complaint.parts.found);
  add("remedy", complaint.parts.remedy);
  write_line(stderr, dumped({{"error", error}}, -1) + "\n");
}

void Output::line(std::string_view text, Tone tone) const {
  write_line(stdout, style_.paint(printable(text), tone) + "\n");
}

void Output::table(const Table& table) const {
  write_line(stdout, table.text(style_));
}

void Output::document(const Json& document) const {
  write_line(stdout, dumped(document, 2) + "\n");
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)),
      possible_(shows_progress()),
      next_(Clock::now() + std::chrono::seconds(1)) {}

ProgressLine::~ProgressLine() {
  if (shown_) write_line(stderr, "\r\x1b[K");
}

Progress ProgressLine::progress() {
  if (!possible_) return {};
  return [this](std::uint64_t done, std::uint64_t total) { show(done, total); };
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  shown_ = true;
  const std::string count =
      total == 0 ? fmt::format("{}", done) : fmt::format("{} of {}", done, total);
  write_line(stderr, fmt::format("\r\x1b[K{} {}", what_, count));
}

}  // namespace kith::cli
