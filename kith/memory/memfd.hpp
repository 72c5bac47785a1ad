// Memfd: memory without a name, handed from process to process as a descriptor.
//
//   auto frame = Memfd::create("camera", 640 * 480);
//   frame.seal({.shrink = true, .grow = true, .future_write = true, .seal = true});
//   socket.send(frame, Deadline::after(1s));                      // a MemorySocket
//
//   auto seen = socket.receive(Access::read_only, {.shrink = true}, deadline);
//   auto other = Memfd::open(number, Access::read_only);      // inherited, or received otherwise
//
// States       see memory.hpp; sealed or not, each seal for ever. Gone with its last descriptor and
//              mapping in any process.
// Callers      see memory.hpp.
// A peer dies  see memory.hpp; nothing is left that would have to be removed, at any instruction.
// Cost         see memory.hpp, and one descriptor as long as the handle lives: without a name it is
//              the only way to pass the memory on.
//
// The memory for peers that do not trust each other. Sealed against shrinking (is_size_sealed()),
// touching its bytes cannot end this process. Sealed against future writing, those who receive it
// can read what its creator goes on writing, and not write. A descriptor that was opened read-only
// gives no such protection: /proc/self/fd opens it anew with all rights. What seals do not stop: a
// peer with a writable mapping writes what it likes, at any moment, while you read; and with a
// descriptor not sealed against writing it can punch holes, which read as zeros.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"
#include "kith/os/seals.hpp"

namespace kith {

// What no process, this one included, can do any more: shrink, grow, future_write (from here on
// write(), or map it writable; mappings that are writable stay so), write (at all), seal (add
// another seal).
using Seals = os::Seals;

class Memfd : public internal::MappedBytes {
 public:
  using Name = std::string;

  Memfd() noexcept = default;

  // `label` is for people who look into /proc: up to 249 bytes, not unique, not to be opened by.
  [[nodiscard]] static Memfd create(const std::string& label, std::uint64_t size);
  // Of huge pages of `page_size` bytes, one of huge_page_sizes() (huge_pages.hpp); 0 takes the
  // machine's usual one. size() is what was asked for, rounded up to whole pages. Throws no_space,
  // with the pool named, now and not at the first touch; unsupported for a size there is no pool
  // of.
  [[nodiscard]] static Memfd create_huge(const std::string& label, std::uint64_t size,
                                         std::uint64_t page_size = 0);
  // The memory behind the descriptor `number`, which is duplicated and not consumed. Any regular
  // file will do, unless seals are demanded. Throws invalid_argument if no descriptor is open under
  // the number, permission_denied if it was opened or sealed to fewer rights than `access`,
  // wrong_type if it lacks one of the `demanded` seals, damaged or not_ours as a named memory.
  [[nodiscard]] static Memfd open(int number, Access access, Seals demanded = {});

  // Adds seals. Throws unsupported for a file that is not a memfd, permission_denied for a
  // read-only descriptor or once `seal` is set, in_use for `write` while anybody maps it, as every
  // handle does: it is there to be told of memories that others made.
  void seal(Seals seals);
  // Shrink, grow and seal: from here on nobody can change the size. Once is enough.
  void seal_size();
  // None for a file that is not a memfd.
  [[nodiscard]] Seals seals() const;
  // True if every byte of this mapping is there to stay.
  [[nodiscard]] bool is_size_sealed() const;
  // The size of its pages.
  [[nodiscard]] std::uint64_t page_size() const;

  // Another descriptor of the same memory. It is closed on exec unless the caller changes that.
  [[nodiscard]] os::Descriptor descriptor() const;

 private:
  Memfd(internal::MappedBytes bytes, os::Descriptor descriptor, std::string object) noexcept
      : MappedBytes(std::move(bytes)),
        descriptor_(std::move(descriptor)),
        object_(std::move(object)) {}

  os::Descriptor descriptor_;
  std::string object_;  // for errors
};

static_assert(DescriptorMemory<Memfd>);

}  // namespace kith
