// Symbols: names for addresses and system calls in a report.
#pragma once

#include <cstdint>
#include <string>

namespace kith::testkit::internal {

// "put(int)+0x12 (demo+0x3456)"; as much of it as can be known.
std::string name_of_address(std::uint64_t address);

// "futex (202)", or "system call 459" where the name is not among those the kit knows.
std::string name_of_call(std::int32_t number);

}  // namespace kith::testkit::internal
