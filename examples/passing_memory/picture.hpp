// What the camera shows and the viewers see.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

struct Picture {
  std::atomic<std::uint64_t> number;  // of pictures taken
  std::array<std::atomic<std::uint8_t>, 64> pixels;
};
