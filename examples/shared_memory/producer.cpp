// producer: counts to 99 in shared memory, in place.
//
// The counter is atomic, because two processes touch it at once; a plain int would be a data race
// (docs/types.md).
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

void count() {
  // Created whole, with its value, or opened if it is there: it does not matter who comes first.
  const auto counter = Region<std::atomic<int>>::open_or_create(Domain::standard(), "counter");
  std::cout << (counter.created_here() ? "created" : "opened") << std::endl;
  for (int i = 0; i < 100; ++i) {
    // relaxed: the number stands for nothing but itself. Were it to announce other data, this would
    // be a release, and the consumer's load an acquire.
    counter->store(i, std::memory_order_relaxed);
    std::this_thread::sleep_for(2ms);  // so that a person's consumer sees it move
  }
}  // The handle ends here; the region stays, with its value, until somebody removes it.

}  // namespace

int main() {
  try {
    count();
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
