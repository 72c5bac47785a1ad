// Sizes, times, rights and users in words that people read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kith/inspect/inspect.hpp"

namespace kith::cli {

// What a stranger wrote, fit for one line of a terminal: printable ASCII, anything else as '?'.
[[nodiscard]] std::string printable(std::string_view text);

// "812 B", "3.2 KiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);
// "12 s", "4 min", "3 h", "5 d"; "0 s" for what lies ahead
[[nodiscard]] std::string span_text(std::int64_t ns);
// How long ago a wall-clock time is.
[[nodiscard]] std::string age_text(std::int64_t wall_clock_ns);
// "2026-11-21 13:15:23", in local time
[[nodiscard]] std::string time_text(std::int64_t wall_clock_ns);
// "2026-11-21T13:15:23.123456789Z"
[[nodiscard]] std::string iso_time(std::int64_t wall_clock_ns);
// "rw-r-----"
[[nodiscard]] std::string rights_text(std::uint32_t permissions);
// "0640"
[[nodiscard]] std::string octal_text(std::uint32_t permissions);
// "0x0123456789abcdef"
[[nodiscard]] std::string hex_text(std::uint64_t number);
// "3 readers", "1 reader"
[[nodiscard]] std::string count_text(std::uint64_t count, std::string_view one,
                                     std::string_view many);
// The name, or the number of one that has none.
[[nodiscard]] std::string user_name(std::uint32_t user);
[[nodiscard]] std::string group_name(std::uint32_t group);
// "until removed"; and one word of it, for programs
[[nodiscard]] const char* lifetime_text(Lifetime lifetime);
[[nodiscard]] const char* lifetime_word(Lifetime lifetime);
// Seconds and nanoseconds of the wall clock now.
[[nodiscard]] std::int64_t now_ns();

}  // namespace kith::cli
