// Memfd: memory without a name, handed from process to process as a descriptor.
//
//   auto frame = Memfd::create("camera", 640 * 480);
//   frame.seal_size();                                   // now nobody can truncate it
//   send_descriptor(socket, frame.descriptor().number());  // SCM_RIGHTS, or inherited by a child
//   auto other = Memfd::open(received, Access::read_only);  // `received` stays the caller's to
//   close
//
// States       see memory.hpp; size sealed or not: sealing is for ever. Gone with its last
//              descriptor and mapping in any process.
// Callers      see memory.hpp.
// A peer dies  see memory.hpp; nothing is left that would have to be removed.
// Cost         see memory.hpp, and one descriptor as long as the handle lives: without a name it is
//              the only way to pass the memory on.
//
// The one memory that is safe from a hostile peer: once is_size_sealed() says true, touching the
// bytes cannot end this process. Who may be trusted to not truncate is easier reached by a name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"

namespace kith {

class Memfd : public internal::MappedBytes {
 public:
  Memfd() noexcept = default;

  // `label` is for people who look into /proc: up to 249 bytes, not unique, not to be opened by.
  [[nodiscard]] static Memfd create(const std::string& label, std::uint64_t size);
  // The memory behind the descriptor `number`, which is duplicated and not consumed. Any regular
  // file will do. Throws invalid_argument if no descriptor is open under the number,
  // permission_denied if it was opened with fewer rights than `access`, damaged or not_ours as a
  // named memory.
  [[nodiscard]] static Memfd open(int number, Access access);

  // From here on no process, this one included, can change the size. Once is enough. Throws
  // unsupported for a file that is not a memfd, permission_denied for a read-only descriptor.
  void seal_size();
  // True if every byte of this mapping is there to stay.
  [[nodiscard]] bool is_size_sealed() const;

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

static_assert(Memory<Memfd>);

}  // namespace kith
