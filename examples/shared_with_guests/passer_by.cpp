// passer_by: reads the weather as any user, waiting for a station to publish it, and tries to forge
// it.
#include <chrono>
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/channel/latest.hpp"

#include "examples/shared_with_guests/weather.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

int read(const Domain& domain) {
  LatestOptions options;
  options.deadline = Deadline::after(20s);  // for the station to come
  LatestReader<Weather> weather(domain, "weather", options);
  if (weather.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return 1;
  const auto value = weather.acquire();
  if (!value) return 1;
  std::cout << "degrees: " << value->degrees << std::endl;
  return 0;
}

void forge(const Domain& domain) {
  try {
    LatestWriter<Weather> weather(domain, "weather");
    std::cout << "may write: yes" << std::endl;
  } catch (const Error& error) {
    const bool denied = error.errc() == Errc::permission_denied;
    std::cout << "may write: " << (denied ? "no" : error.what()) << std::endl;
  }
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const Domain domain =
        Domain::at(count > 1 ? arguments[1] : "/dev/shm/weather", {.rights = {0755, ""}});
    const int status = read(domain);
    forge(domain);
    return status;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
