// Hands its picture to whoever connects, and keeps the right to write to itself. The viewers need
// not trust it with their lives either: the picture is sealed, so it cannot be cut short.
//
//   camera SOCKET [VIEWERS]
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

#include "kith/base/error.hpp"
#include "kith/memory/memory_socket.hpp"
#include "kith/region/memfd_region.hpp"

#include "picture.hpp"

int main(int count, char** arguments) {
  using namespace std::chrono_literals;
  using namespace kith;
  const std::string path = count > 1 ? arguments[1] : "/tmp/kith_example_camera";
  const int viewers = count > 2 ? std::stoi(arguments[2]) : 1;
  try {
    auto listener = MemoryListener::at(path, Deadline::after(5s));
    const auto picture = MemfdRegion<Picture>::create("picture", Writers::creator);
    std::cout << "listening" << std::endl;
    for (int served = 1; served <= viewers; ++served) {
      const MemorySocket viewer = listener.accept(Deadline::after(30s));
      viewer.send(picture, Deadline::after(5s));
      std::cout << "sent to a process of user " << viewer.peer().user << std::endl;
      // Written after it was sent: it is one memory. release: the number comes after the pixels.
      picture->pixels[0].store(static_cast<std::uint8_t>(200 + served), std::memory_order_relaxed);
      picture->number.store(static_cast<std::uint64_t>(served), std::memory_order_release);
    }
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
