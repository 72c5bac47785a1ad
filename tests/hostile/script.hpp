// Script: one execution of the hostile bytes, as data: which world it begins in, and then, step by
// step, what is done to the world's bytes and what is called. Three forms of it:
//   bytes   what a fuzzer mutates; any bytes are a script
//   Script  what runs
//   text    what people read, and what the corpus in the tree holds:
//             kind channel
//             call open_reader 1
//             poke 0 4096 8 18446744073709551615
//             call acquire 0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith::hostile {

enum class Kind : std::uint8_t {
  channel,       // a latest-value channel whose users have died, one with a value in its hands
  guests,        // the same with guests
  objects,       // an ObjectRegion
  type,          // a Region<T>
  bytes,         // a Region<>
  memory_type,   // a MemfdRegion<T> that nobody sealed
  memory_bytes,  // a MemfdRegion<> that nobody sealed
  sealed_type,   // the same, sealed
  sealed_bytes,
  mutex,    // a mutex by itself, whose holder and a waiter have died
  cell,     // a Region<T> with a mutex in it, the same
  waits,    // a Region<T> with one of each that can be waited for; a holder and a party have died
  permits,  // a semaphore by itself, the same
  rw_lock,  // by itself; a reader died, and a writer that waited for it
  guarded,  // a guarded value by itself; one died changing it
  guarded_bytes,  // one died holding them
  once,           // by itself; one died running it
  barrier,        // by itself; a party died
  cells,  // a Region<T> with a read-write lock, a guarded value and a once; one died in each
};
inline constexpr std::uint8_t kKinds = 19;
[[nodiscard]] const char* name_of(Kind kind);
[[nodiscard]] constexpr bool is_memory(Kind kind) {
  return kind >= Kind::memory_type && kind <= Kind::sealed_bytes;
}
[[nodiscard]] constexpr bool is_sealed(Kind kind) {
  return kind == Kind::sealed_type || kind == Kind::sealed_bytes;
}

enum class Deed : std::uint8_t {
  overwrite,      // bytes at an offset of a file
  poke,           // a number of 1, 2, 4 or 8 bytes at an offset of a file
  flip,           // from now on, without end: that number and what stands there, in turn
  cut,            // the file's size
  cut_meanwhile,  // from now on, without end: that size and the right one, in turn
  call,           // an operation of the library
};

struct Step {
  Deed deed = Deed::call;
  std::uint8_t file = 0;      // which of the world's files, modulo their number
  std::uint8_t width = 8;     // of a poke or a flip
  std::uint8_t call = 0;      // which of operations()
  std::uint8_t argument = 0;  // of the operation
  std::uint32_t offset = 0;   // in the file, modulo its size; of a cut: the size
  std::uint64_t value = 0;
  std::vector<std::uint8_t> bytes{};
};

struct Script {
  Kind kind = Kind::channel;
  std::vector<Step> steps;
};

inline constexpr std::size_t kStepsMax = 64;  // more are ignored: the budget of an execution
inline constexpr std::size_t kOverwriteMax = 4096;

[[nodiscard]] Script script_from(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::vector<std::uint8_t> bytes_of(const Script& script);
[[nodiscard]] std::string text_of(const Script& script);
// Lines that begin with # say something to people. Throws std::runtime_error, naming the line.
[[nodiscard]] Script script_from_text(std::string_view text);

}  // namespace kith::hostile
