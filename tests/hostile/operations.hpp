// Operations: everything that can be called, by name, with an argument of one byte. What an
// operation cannot be used for in the world it finds (an ObjectRegion where a channel stands) it is
// called for all the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/hostile/actors.hpp"

namespace kith::hostile {

struct Operation {
  const char* name;
  void (*run)(Actors& actors, std::uint8_t argument);
};

[[nodiscard]] std::span<const Operation> operations();
// Throws std::runtime_error.
[[nodiscard]] std::uint8_t operation_named(const std::string& name);

// One step of a script: whatever it throws but kith::Error is a defect.
void call(const Operation& operation, Actors& actors, std::uint8_t argument);

}  // namespace kith::hostile
