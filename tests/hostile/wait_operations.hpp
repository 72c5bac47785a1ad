// Operations on what can be waited for: see operations.hpp.
#pragma once

#include <cstdint>

#include "tests/hostile/actors.hpp"

namespace kith::hostile {

void open_waits(Actors& actors, std::uint8_t argument);
void use_events(Actors& actors, std::uint8_t argument);
void use_signals(Actors& actors, std::uint8_t argument);
void use_condition(Actors& actors, std::uint8_t argument);
void open_permits(Actors& actors, std::uint8_t argument);
void use_permits(Actors& actors, std::uint8_t argument);
void use_barrier(Actors& actors, std::uint8_t argument);
void close_waits(Actors& actors, std::uint8_t argument);

}  // namespace kith::hostile
