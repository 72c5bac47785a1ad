#include "kith/os/random.hpp"

#include <sys/random.h>

#include "kith/base/contract.hpp"

namespace kith::os {

std::uint64_t random_number() noexcept {
  std::uint64_t number = 0;
  // Up to 256 bytes come whole once the kernel's pool is seeded; before that, at boot, it waits.
  const ssize_t got = ::getrandom(&number, sizeof number, 0);
  KITH_REQUIRE(got == sizeof number, "the kernel gives random numbers");
  return number;
}

}  // namespace kith::os
