// station: publishes the weather to all users of the machine, none of whom can change it, until its
// input ends.
//
// Its folder is made here, for others to look into: make it ahead, as root, where others might make
// one of the same name first.
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/channel/latest.hpp"

#include "examples/shared_with_guests/weather.hpp"

namespace {

using namespace kith;

// The same on both sides: only so has the owner meant to share, and the guest to trust.
Domain weather_domain(const std::string& folder) {
  return Domain::at(folder, {.rights = {0755, ""}});
}

int publish(const std::string& folder) {
  LatestOptions options;
  options.rights = {0644, ""};  // others only read: they are guests
  options.guests_max = 8;
  LatestWriter<Weather> weather(weather_domain(folder), "weather", options);
  if (weather.write({21.5, 3}) != WriteAnswer::committed) return 1;
  std::cout << "published value " << weather.sequence() << std::endl;
  std::cin.get();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return publish(count > 1 ? arguments[1] : "/dev/shm/weather");
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
