#include "kith/os/seals.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace kith::os {
namespace {

constexpr std::array<std::pair<bool Seals::*, int>, 5> kBits{{
    {&Seals::shrink, F_SEAL_SHRINK},
    {&Seals::grow, F_SEAL_GROW},
    {&Seals::future_write, F_SEAL_FUTURE_WRITE},
    {&Seals::write, F_SEAL_WRITE},
    {&Seals::seal, F_SEAL_SEAL},
}};

}  // namespace

Done add_seals(const Descriptor& memfd, Seals seals) {
  int bits = 0;
  for (const auto& [seal, bit] : kBits) bits |= seals.*seal ? bit : 0;
  return {::fcntl(memfd.number(), F_ADD_SEALS, bits) == 0 ? 0 : errno};
}

Outcome<Seals> seals_of(const Descriptor& memfd) {
  const int bits = ::fcntl(memfd.number(), F_GET_SEALS);
  if (bits < 0) return Outcome<Seals>::failed(errno);
  Outcome<Seals> outcome;
  for (const auto& [seal, bit] : kBits) outcome.value.*seal = (bits & bit) != 0;
  return outcome;
}

}  // namespace kith::os
