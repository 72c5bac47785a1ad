// Look: a region's file as a tool sees it that may only read. By read, never through a mapping: no
// page is touched that is not there, nobody is kept alive, and the right to read is enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "kith/os/file.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

class Look {
 public:
  // Throws Error for whatever is not a whole region of a format we speak; not_found if there is no
  // such name. `object` names it in the text.
  Look(const os::Descriptor& directory, const std::string& name, const std::string& object);

  [[nodiscard]] const RegionFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] const RegionHeader& header() const noexcept { return header_; }
  [[nodiscard]] const os::FileFacts& file() const noexcept { return file_facts_; }
  [[nodiscard]] bool is_retired() const noexcept { return retired_; }
  // True if somebody holds the lock on this byte of the file.
  [[nodiscard]] bool is_held(std::uint64_t lock) const;

  // Bytes of the content; false unless all of them are inside and could be read.
  [[nodiscard]] bool read(std::uint64_t offset, void* to, std::uint64_t size) const;
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool read(std::uint64_t offset, T& to) const {
    return read(offset, &to, sizeof to);
  }

 private:
  os::Descriptor file_;
  os::FileFacts file_facts_;
  RegionHeader header_{};
  RegionFacts facts_;
  bool retired_ = false;
};

}  // namespace kith::internal
