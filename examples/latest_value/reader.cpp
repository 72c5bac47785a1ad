// reader: prints the newest pose whenever there is a newer one, until the robot has arrived.
//
// Start it before or after the writer, and as often as you like. It sees no half-written pose,
// whenever the writer is killed; it may miss poses if it is slow, for only the newest counts.
#include <chrono>
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/channel/latest.hpp"

#include "examples/latest_value/pose.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

int watch() {
  LatestReader<Pose> reader(Domain::standard(), "pose");
  while (reader.wait_newer(Deadline::after(10s)) == WaitAnswer::newer) {
    const auto pose = reader.acquire();  // held in place while `pose` lives; nothing is copied
    if (!pose) return 1;
    std::cout << pose.sequence() << ": x = " << pose->x << std::endl;
    if (pose->arrived) return 0;
  }
  const bool dead = reader.writer_liveness() == Liveness::dead;
  std::cout << "no newer pose for 10 s; " << (dead ? "nobody" : "a process") << " writes\n";
  return 1;
}

}  // namespace

int main() {
  try {
    return watch();
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
