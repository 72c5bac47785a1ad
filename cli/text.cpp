#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <vector>

namespace kith::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kNamesMax = 1 << 16;  // bytes of an entry of the user database

// Seconds rounded down, also before 1970, and what is left.
std::pair<std::time_t, std::int64_t> split(std::int64_t ns) {
  std::int64_t seconds = ns / kSecond;
  std::int64_t rest = ns % kSecond;
  if (rest < 0) {
    --seconds;
    rest += kSecond;
  }
  return {static_cast<std::time_t>(seconds), rest};
}

std::string formatted(const std::tm& time, const char* format) {
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), format, &time);
  return {text.data(), size};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c < 0x20 || c >= 0x7f) c = '?';
  }
  return line;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.{}f} {}", amount, amount < 100 ? 1 : 0, kUnits[unit]);
}

std::string span_text(std::int64_t ns) {
  const std::int64_t seconds = std::max<std::int64_t>(ns, 0) / kSecond;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / (24 * 3600));
}

std::int64_t now_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(since).count();
}

std::string age_text(std::int64_t wall_clock_ns) {
  return wall_clock_ns < 0 ? "?" : span_text(now_ns() - wall_clock_ns);
}

std::string time_text(std::int64_t wall_clock_ns) {
  std::tm time{};
  const std::time_t seconds = split(wall_clock_ns).first;
  if (::localtime_r(&seconds, &time) == nullptr) return "?";
  return formatted(time, "%Y-%m-%d %H:%M:%S");
}

std::string iso_time(std::int64_t wall_clock_ns) {
  std::tm time{};
  const auto [seconds, rest] = split(wall_clock_ns);
  if (::gmtime_r(&seconds, &time) == nullptr) return "?";
  return fmt::format("{}.{:09}Z", formatted(time, "%Y-%m-%dT%H:%M:%S"), rest);
}

std::string rights_text(std::uint32_t permissions) {
  std::string text;
  for (int bit = 8; bit >= 0; --bit) {
    text += (permissions >> bit & 1) != 0 ? "xwr"[bit % 3] : '-';
  }
  return text;
}

std::string octal_text(std::uint32_t permissions) {
  return fmt::format("{:04o}", permissions);
}

std::string hex_text(std::uint64_t number) {
  return fmt::format("0x{:016x}", number);
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string user_name(std::uint32_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> room(kNamesMax);
  const int error = ::getpwuid_r(user, &entry, room.data(), room.size(), &found);
  return error == 0 && found != nullptr ? printable(found->pw_name) : std::to_string(user);
}

std::string group_name(std::uint32_t group) {
  ::group entry{};
  ::group* found = nullptr;
  std::vector<char> room(kNamesMax);
  const int error = ::getgrgid_r(group, &entry, room.data(), room.size(), &found);
  return error == 0 && found != nullptr ? printable(found->gr_name) : std::to_string(group);
}

const char* lifetime_text(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::until_removed:
      return "until removed";
    case Lifetime::until_last_member:
      return "until the last one that uses it is gone";
    case Lifetime::while_creator_lives:
      return "while its creator lives";
  }
  return "unknown";
}

const char* lifetime_word(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::until_removed:
      return "until_removed";
    case Lifetime::until_last_member:
      return "until_last_member";
    case Lifetime::while_creator_lives:
      return "while_creator_lives";
  }
  return "unknown";
}

}  // namespace kith::cli
