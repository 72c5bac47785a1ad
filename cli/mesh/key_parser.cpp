#include "cli/mesh/key_parser.hpp"

#include <charconv>
#include <utility>

namespace kith::mesh {
namespace {

constexpr std::size_t kDigitsMax = 4;  // one more than the largest number has
constexpr char kDelete = '\x7f';

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Key KeyParser::number_key() {
  Key key;
  key.number = std::exchange(digits_, {});
  const char* end = key.number.data() + key.number.size();
  const bool whole = std::from_chars(key.number.data(), end, key.process).ptr == end;
  const bool exists = whole && key.process < processes_;
  key.kind = exists ? Key::Kind::toggle : Key::Kind::no_such_process;
  if (!exists) key.process = 0;
  return key;
}

std::vector<Key> KeyParser::parse(std::string_view typed) {
  std::vector<Key> keys;
  for (const char c : typed) {
    if (is_digit(c)) {
      // Further digits of a number that is too long anyway are not worth keeping.
      if (digits_.size() < kDigitsMax) digits_ += c;
      if (processes_ <= 10) keys.push_back(number_key());
    } else if (c == 'q' || c == 'Q') {
      keys.push_back({});
    } else if (c == kDelete || c == '\b') {
      if (!digits_.empty()) digits_.pop_back();
    } else if (!digits_.empty()) {
      keys.push_back(number_key());
    }
  }
  return keys;
}

std::vector<Key> KeyParser::finish() {
  if (digits_.empty()) return {};
  return {number_key()};
}

}  // namespace kith::mesh
