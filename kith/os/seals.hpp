// Seals of a memfd: what no process can do to it any more, this one included. For ever.
#pragma once

#include "kith/os/file.hpp"

namespace kith::os {

struct Seals {
  bool shrink = false;
  bool grow = false;
  bool future_write = false;  // write to it, or map it writable; writable mappings stay writable
  bool write = false;         // write to it in any way
  bool seal = false;          // add seals
  friend bool operator==(const Seals&, const Seals&) noexcept = default;
};

// EBUSY if `write` is asked for while a writable mapping exists; EINVAL where no memfd is.
Done add_seals(const Descriptor& memfd, Seals seals);
Outcome<Seals> seals_of(const Descriptor& memfd);

}  // namespace kith::os
