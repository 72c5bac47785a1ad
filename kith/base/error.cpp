#include "kith/base/error.hpp"

#include <array>
#include <utility>

namespace kith {
namespace {

struct Entry {
  Errc code;
  const char* sentence;
  std::errc meaning;
};

constexpr std::array kEntries{
    Entry{Errc::not_found, "there is no such object", std::errc::no_such_file_or_directory},
    Entry{Errc::already_exists, "the object exists already", std::errc::file_exists},
    Entry{Errc::permission_denied, "permission denied", std::errc::permission_denied},
    Entry{Errc::wrong_owner, "it belongs to somebody else", std::errc::operation_not_permitted},
    Entry{Errc::not_ours, "this was not made by kith", std::errc::invalid_argument},
    Entry{Errc::wrong_type, "the two programs disagree about what it is",
          std::errc::invalid_argument},
    Entry{Errc::wrong_version, "made by an incompatible version or machine",
          std::errc::not_supported},
    Entry{Errc::damaged, "its content is damaged", std::errc::bad_message},
    Entry{Errc::no_space, "no space left", std::errc::no_space_on_device},
    Entry{Errc::limit_reached, "a limit is reached", std::errc::too_many_files_open},
    Entry{Errc::invalid_name, "not a name for an object", std::errc::invalid_argument},
    Entry{Errc::invalid_argument, "this cannot be honoured", std::errc::invalid_argument},
    Entry{Errc::timed_out, "the deadline passed", std::errc::timed_out},
    Entry{Errc::in_use, "it is in use", std::errc::device_or_resource_busy},
    Entry{Errc::orphaned, "its name is gone", std::errc::no_such_file_or_directory},
    Entry{Errc::role_taken, "the role is taken", std::errc::device_or_resource_busy},
    Entry{Errc::table_full, "the table is full", std::errc::resource_unavailable_try_again},
    Entry{Errc::forked, "a handle of the parent process", std::errc::operation_not_permitted},
    Entry{Errc::unsupported, "not supported here", std::errc::not_supported},
    Entry{Errc::system, "the system call failed", std::errc::io_error},
    Entry{Errc::owner_died, "its holder died", std::errc::owner_dead},
    Entry{Errc::would_deadlock, "this thread holds it already",
          std::errc::resource_deadlock_would_occur},
    Entry{Errc::not_owner, "this thread does not hold it", std::errc::operation_not_permitted},
    Entry{Errc::retired, "it was given up for good", std::errc::state_not_recoverable},
};

const Entry* find(int value) noexcept {
  for (const Entry& entry : kEntries) {
    if (static_cast<int>(entry.code) == value) return &entry;
  }
  return nullptr;
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "kith"; }

  std::string message(int value) const override {
    const Entry* entry = find(value);
    return entry != nullptr ? entry->sentence : "unknown error " + std::to_string(value);
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    const Entry* entry = find(value);
    return entry != nullptr ? std::make_error_condition(entry->meaning)
                            : std::error_condition(value, *this);
  }
};

std::string compose(Errc code, const ErrorText& text) {
  std::string what = text.object.empty() ? std::string() : text.object + ": ";
  what += error_category().message(static_cast<int>(code));
  if (!text.expected.empty()) what += ": expected " + text.expected;
  if (!text.found.empty()) what += (text.expected.empty() ? ": " : ", found ") + text.found;
  if (!text.remedy.empty()) what += "; " + text.remedy;
  return what;
}

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

Error::Error(Errc code, ErrorText text)
    : std::system_error(make_error_code(code)),
      text_(std::move(text)),
      what_(compose(code, text_)) {}

}  // namespace kith
