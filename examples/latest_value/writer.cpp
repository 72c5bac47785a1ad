// writer [GOAL]: a robot drives to x = GOAL and publishes where it is, a step every 20 ms.
//
// Kill it (kill -9) and start it again: it goes on from its last committed pose.
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "kith/base/error.hpp"
#include "kith/channel/latest.hpp"

#include "examples/latest_value/pose.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

int drive(double goal) {
  LatestWriter<Pose> writer(Domain::standard(), "pose");
  // What this program published before it was killed, if it was.
  Pose pose = writer.last() != nullptr ? *writer.last() : Pose{};
  if (pose.arrived) pose = Pose{};
  while (!pose.arrived) {
    pose.x += 1;
    pose.arrived = pose.x >= goal;
    if (writer.write(pose) != WriteAnswer::committed) return 1;
    std::this_thread::sleep_for(20ms);  // the speed of the robot; nobody waits for this
  }
  std::cout << "arrived with value " << writer.sequence() << std::endl;
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return drive(count > 1 ? std::stod(arguments[1]) : 250);
  } catch (const Error& error) {
    // Names the object, what was expected, what was found and what to do.
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
