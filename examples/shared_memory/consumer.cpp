// consumer: prints the producer's counter until it is 99, then removes the region.
//
// It may start first: opening waits for what is not there yet.
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

// Looks until the counter is at its end. A region cannot wake anybody: to sleep until there is
// something new, use a channel (examples/latest_value). std::atomic::wait is no help, it hears
// wakes of its own process only.
bool follow(const std::atomic<int>& counter, Deadline deadline) {
  int last = -1;
  while (last < 99 && !deadline.has_passed()) {
    const int current = counter.load(std::memory_order_relaxed);  // relaxed: as in the producer
    if (current != last) std::cout << "value: " << current << std::endl;
    last = current;
    std::this_thread::sleep_for(1ms);  // leaves the processor to others
  }
  return last == 99;
}

int consume() {
  const Domain domain = Domain::standard();
  auto counter =
      Region<std::atomic<int>>::open(domain, "counter", {.deadline = Deadline::after(10s)});
  if (!follow(*counter, Deadline::after(10s))) return 1;
  counter.close();
  // Refused while somebody living is attached; then the region stays, and nothing is broken.
  const Removal removal = remove_object(domain, "counter");
  std::cout << (removal == Removal::removed ? "removed" : "still in use") << std::endl;
  return 0;
}

}  // namespace

int main() {
  try {
    return consume();
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;  // `timed_out` if there was no producer
    return 1;
  }
}
