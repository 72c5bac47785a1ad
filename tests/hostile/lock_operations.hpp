// Operations on read-write locks, guarded values and bytes, what is run once, and a barrier by
// itself: see operations.hpp.
#pragma once

#include <cstdint>

#include "tests/hostile/actors.hpp"

namespace kith::hostile {

void open_rw_lock(Actors& actors, std::uint8_t argument);
void open_cells(Actors& actors, std::uint8_t argument);
void read_lock(Actors& actors, std::uint8_t argument);
void write_lock(Actors& actors, std::uint8_t argument);
void upgrade_lock(Actors& actors, std::uint8_t argument);
void downgrade_lock(Actors& actors, std::uint8_t argument);
void release_lock(Actors& actors, std::uint8_t argument);
void declare_lock(Actors& actors, std::uint8_t argument);
void retire_lock(Actors& actors, std::uint8_t argument);
void guard_lock(Actors& actors, std::uint8_t argument);
void look_at_lock(Actors& actors, std::uint8_t argument);

void open_guarded(Actors& actors, std::uint8_t argument);
void change_guarded(Actors& actors, std::uint8_t argument);
void read_guarded(Actors& actors, std::uint8_t argument);

void open_guarded_bytes(Actors& actors, std::uint8_t argument);
void hold_bytes(Actors& actors, std::uint8_t argument);
void use_held_bytes(Actors& actors, std::uint8_t argument);
void release_bytes(Actors& actors, std::uint8_t argument);

void open_once(Actors& actors, std::uint8_t argument);
void call_once(Actors& actors, std::uint8_t argument);

void open_barrier(Actors& actors, std::uint8_t argument);

void close_locks(Actors& actors, std::uint8_t argument);

}  // namespace kith::hostile
