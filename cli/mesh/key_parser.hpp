// KeyParser: what typed characters ask of the mesh.
//
// Up to ten processes: a digit acts at once. More: digits gather until Enter, a blank or a comma;
// backspace takes one back. `q` ends. The same from a terminal, a pipe or a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kith::mesh {

struct Key {
  enum class Kind { toggle, no_such_process, quit };
  Kind kind = Kind::quit;
  std::string number;         // as typed
  std::uint32_t process = 0;  // of toggle
  friend bool operator==(const Key&, const Key&) = default;
};

class KeyParser {
 public:
  explicit KeyParser(std::uint32_t processes) : processes_(processes) {}

  // What these characters, after the earlier ones, ask for.
  [[nodiscard]] std::vector<Key> parse(std::string_view typed);
  // What the end of the input completes.
  [[nodiscard]] std::vector<Key> finish();

 private:
  [[nodiscard]] Key number_key();

  std::uint32_t processes_;
  std::string digits_;
};

}  // namespace kith::mesh
