// Progress: how far a look at many things has come, for whoever waits for it.
#pragma once

#include <cstdint>
#include <functional>

namespace kith {

// Called now and then from the calling thread with what was looked at and how much there is in
// all, as far as that is known by then. May be empty; must not throw.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

}  // namespace kith
