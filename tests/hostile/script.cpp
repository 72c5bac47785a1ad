#include "tests/hostile/script.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include "tests/hostile/operations.hpp"

namespace kith::hostile {
namespace {

constexpr std::array<const char*, kKinds> kKindNames{
    "channel",     "guests",        "objects", "type",    "bytes", "memory_type", "memory_bytes",
    "sealed_type", "sealed_bytes",  "mutex",   "cell",    "waits", "permits",     "rw_lock",
    "guarded",     "guarded_bytes", "once",    "barrier", "cells"};
constexpr std::array<const char*, 6> kDeedNames{"overwrite", "poke",          "flip",
                                                "cut",       "cut_meanwhile", "call"};
// A first byte of a step from here on is a call, so that about half of them are.
constexpr std::uint8_t kCallsBegin = 0x80;

// Numbers from the front of an input; zeros behind its end.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{byte()} << 8 * i;
    return value;
  }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  std::vector<std::uint8_t> take(std::size_t size) {
    const auto part = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return {part.begin(), part.end()};
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

void put(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

Step step_from(Reader& reader) {
  Step step;
  const std::uint8_t first = reader.byte();
  if (first >= kCallsBegin) {
    step.call = static_cast<std::uint8_t>((first - kCallsBegin) % operations().size());
    step.argument = reader.byte();
    return step;
  }
  step.deed = static_cast<Deed>(first % 5);
  const std::uint8_t where = reader.byte();
  step.file = where % 4;
  const bool has_width = step.deed == Deed::poke || step.deed == Deed::flip;
  if (has_width) step.width = static_cast<std::uint8_t>(1u << (where >> 2) % 4);
  step.offset = static_cast<std::uint32_t>(reader.number(4));
  if (has_width) step.value = reader.number(step.width);
  if (step.deed == Deed::overwrite) step.bytes = reader.take(reader.number(2) % kOverwriteMax);
  return step;
}

std::uint8_t log2_of(std::uint8_t width) {
  return static_cast<std::uint8_t>(width == 8 ? 3 : width == 4 ? 2 : width == 2 ? 1 : 0);
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::vector<std::uint8_t> bytes_from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* begin = text.data() + 2 * i;
    if (std::from_chars(begin, begin + 2, bytes[i], 16).ptr != begin + 2) {
      throw std::runtime_error("not a number in hexadecimal digits: " + text);
    }
  }
  return bytes;
}

template <class Names>
std::uint8_t index_of(const Names& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::runtime_error("nothing is called '" + name + "'");
  return static_cast<std::uint8_t>(found - names.begin());
}

Step step_from_text(const std::string& deed, std::istream& words) {
  Step step;
  step.deed = static_cast<Deed>(index_of(kDeedNames, deed));
  if (step.deed == Deed::call) {
    std::string name;
    unsigned argument = 0;
    words >> name >> argument;
    step.call = operation_named(name);
    step.argument = static_cast<std::uint8_t>(argument);
    return step;
  }
  unsigned file = 0;
  unsigned width = 8;
  words >> file >> step.offset;
  if (step.deed == Deed::poke || step.deed == Deed::flip) words >> width >> step.value;
  std::string hex;
  if (step.deed == Deed::overwrite && words >> hex) step.bytes = bytes_from_hex(hex);
  step.file = static_cast<std::uint8_t>(file % 4);
  step.width = static_cast<std::uint8_t>(width);
  if (width != 1 && width != 2 && width != 4 && width != 8) {
    throw std::runtime_error("a number has 1, 2, 4 or 8 bytes");
  }
  return step;
}

}  // namespace

const char* name_of(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

Script script_from(std::span<const std::uint8_t> bytes) {
  Reader reader(bytes);
  Script script;
  script.kind = static_cast<Kind>(reader.byte() % kKinds);
  while (!reader.at_end() && script.steps.size() < kStepsMax) {
    script.steps.push_back(step_from(reader));
  }
  return script;
}

std::vector<std::uint8_t> bytes_of(const Script& script) {
  std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(script.kind)};
  for (const Step& step : script.steps) {
    if (step.deed == Deed::call) {
      bytes.push_back(static_cast<std::uint8_t>(kCallsBegin + step.call));
      bytes.push_back(step.argument);
      continue;
    }
    bytes.push_back(static_cast<std::uint8_t>(step.deed));
    bytes.push_back(static_cast<std::uint8_t>(step.file | log2_of(step.width) << 2));
    put(bytes, step.offset, 4);
    if (step.deed == Deed::poke || step.deed == Deed::flip) put(bytes, step.value, step.width);
    if (step.deed == Deed::overwrite) {
      put(bytes, step.bytes.size(), 2);
      bytes.insert(bytes.end(), step.bytes.begin(), step.bytes.end());
    }
  }
  return bytes;
}

std::string text_of(const Script& script) {
  std::string text = std::string("kind ") + name_of(script.kind) + "\n";
  for (const Step& step : script.steps) {
    text += kDeedNames[static_cast<std::size_t>(step.deed)];
    if (step.deed == Deed::call) {
      text += std::string(" ") + operations()[step.call].name + " " +
              std::to_string(step.argument) + "\n";
      continue;
    }
    text += " " + std::to_string(step.file) + " " + std::to_string(step.offset);
    if (step.deed == Deed::poke || step.deed == Deed::flip) {
      text += " " + std::to_string(step.width) + " " + std::to_string(step.value);
    }
    if (step.deed == Deed::overwrite) text += " " + hex_of(step.bytes);
    text += "\n";
  }
  return text;
}

Script script_from_text(std::string_view text) {
  Script script;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string first;
    if (!(words >> first) || first.starts_with('#')) continue;
    try {
      if (first == "kind") {
        std::string kind;
        words >> kind;
        script.kind = static_cast<Kind>(index_of(kKindNames, kind));
      } else {
        script.steps.push_back(step_from_text(first, words));
      }
      std::string more;
      if (words >> more) throw std::runtime_error("more words than it needs, or a wrong one");
    } catch (const std::runtime_error& error) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + error.what());
    }
  }
  return script;
}

}  // namespace kith::hostile
