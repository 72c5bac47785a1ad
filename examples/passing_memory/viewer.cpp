// Receives the camera's picture, for reading only.
//
//   viewer SOCKET
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "kith/base/error.hpp"
#include "kith/memory/memory_socket.hpp"
#include "kith/region/memfd_region.hpp"

#include "picture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace kith;

// Nobody wakes a reader of plain memory; see LatestReader for that.
bool await_first(const Picture& picture, Deadline deadline) {
  // acquire: with the number the pixels are there.
  while (picture.number.load(std::memory_order_acquire) == 0) {
    if (deadline.has_passed()) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string path = count > 1 ? arguments[1] : "/tmp/kith_example_camera";
  try {
    const auto camera = MemorySocket::connect(path, Deadline::after(10s));
    const auto picture = MemfdRegion<const Picture>::receive(camera, Deadline::after(5s));
    std::cout << "its size is sealed: " << picture.is_size_sealed() << std::endl;
    if (!await_first(*picture, Deadline::after(5s))) return 1;
    std::cout << "first pixel: " << int{picture->pixels[0].load(std::memory_order_relaxed)}
              << std::endl;
    try {
      (void)MemfdRegion<Picture>::open(picture.descriptor().number());
    } catch (const Error& error) {
      std::cout << "to write: " << error.what() << std::endl;
    }
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
