// Random numbers from the kernel, for identities that must not repeat.
#pragma once

#include <cstdint>

namespace kith::os {

[[nodiscard]] std::uint64_t random_number() noexcept;

}  // namespace kith::os
