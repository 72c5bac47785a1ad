#include "kith/inspect/internal/proc_text.hpp"

#include <algorithm>
#include <charconv>

#include "kith/os/machine.hpp"

namespace kith::internal {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

// The next word of a line; empty at its end.
std::string_view take_word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool read_range(std::string_view word, MapLine& line) {
  const std::size_t dash = word.find('-');
  return dash != std::string_view::npos && read_number(word.substr(0, dash), line.begin, 16) &&
         read_number(word.substr(dash + 1), line.end, 16) && line.begin <= line.end;
}

bool read_rights(std::string_view word, MapLine& line) {
  if (word.size() != 4 || (word[3] != 's' && word[3] != 'p')) return false;
  line.readable = word[0] == 'r';
  line.writable = word[1] == 'w';
  line.executable = word[2] == 'x';
  line.shared = word[3] == 's';
  return true;
}

bool read_device(std::string_view word, MapLine& line) {
  const std::size_t colon = word.find(':');
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  if (colon == std::string_view::npos || !read_number(word.substr(0, colon), major, 16) ||
      !read_number(word.substr(colon + 1), minor, 16)) {
    return false;
  }
  line.identity.device = os::device_number(major, minor);
  return true;
}

// The kernel writes space, tab, line end and backslash of a path as \040 and so on.
std::string without_escapes(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && text.size() - i >= 4 && read_number(text.substr(i + 1, 3), code, 8)) {
      path += static_cast<char>(code);
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c < 0x20 || c >= 0x7f) c = '?';
  }
  return line;
}

std::string program_from_comm(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return one_line(text);
}

char state_from_stat(std::string_view text) {
  // The name in parentheses may hold anything, further ones too; nothing after it has any.
  const std::size_t end = text.rfind(')');
  if (end == std::string_view::npos || text.size() < end + 3) return '?';
  const char state = text[end + 2];
  return state >= 'A' && state <= 'z' ? state : '?';
}

std::optional<MapLine> parse_map_line(std::string_view text) {
  MapLine line;
  if (!read_range(take_word(text), line) || !read_rights(take_word(text), line)) {
    return std::nullopt;
  }
  if (!read_number(take_word(text), line.offset, 16) || !read_device(take_word(text), line) ||
      !read_number(take_word(text), line.identity.inode, 10)) {
    return std::nullopt;
  }
  // Padded with spaces; a path itself begins with a slash or a bracket.
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  line.path = text;
  return line;
}

std::vector<ResidentLine> parse_smaps(std::string_view text) {
  std::vector<ResidentLine> entries;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (const auto map = parse_map_line(line)) {
      entries.push_back({*map, 0});
      continue;
    }
    std::uint64_t kibibytes = 0;
    if (!entries.empty() && take_word(line) == "Rss:" &&
        read_number(take_word(line), kibibytes, 10)) {
      entries.back().resident_bytes = kibibytes * 1024;
    }
  }
  return entries;
}

bool is_segment_path(std::string_view path) {
  return path.starts_with("/SYSV") && path.ends_with(" (deleted)");
}

SystemVTable::SystemVTable(std::string_view text) {
  std::string_view head = take_line(text);
  for (auto word = take_word(head); !word.empty(); word = take_word(head)) {
    columns_.emplace_back(word);
  }
  while (!text.empty()) {
    std::string_view line = take_line(text);
    std::vector<std::uint64_t> row;
    for (const std::string& column : columns_) {
      std::string_view word = take_word(line);
      // Keys are signed in some kernels' tables.
      const bool negative = word.starts_with('-');
      if (negative) word.remove_prefix(1);
      std::uint64_t number = 0;
      if (!read_number(word, number, column == "perms" ? 8 : 10)) break;
      row.push_back(negative ? std::uint64_t{0} - number : number);
    }
    if (!columns_.empty() && row.size() == columns_.size()) rows_.push_back(std::move(row));
  }
}

std::uint64_t SystemVTable::at(std::size_t row, std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (row >= rows_.size() || found == columns_.end()) return 0;
  return rows_[row][static_cast<std::size_t>(found - columns_.begin())];
}

std::vector<MountLine> parse_mounts(std::string_view text) {
  std::vector<MountLine> mounts;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    for (int field = 0; field < 4; ++field) static_cast<void>(take_word(line));
    const std::string_view directory = take_word(line);
    // Any number of optional fields, up to a dash of its own.
    std::string_view word = take_word(line);
    while (!word.empty() && word != "-") word = take_word(line);
    const std::string_view file_system = take_word(line);
    if (!directory.starts_with('/') || file_system.empty()) continue;
    mounts.push_back({without_escapes(directory), std::string(file_system)});
  }
  return mounts;
}

}  // namespace kith::internal
