// visitor: several objects in one region, each under its own name and with its own type.
//
// Run it as often as you like, also at once: whoever needs an object first makes it, and all the
// others find it. `kith rm world` removes them all.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/region/object_region.hpp"

namespace {

using namespace kith;
using namespace std::chrono_literals;

struct Limits {
  std::atomic<int> low = 1;
  std::atomic<int> high = 9;
};

void visit() {
  auto world = ObjectRegion::open_or_create(Domain::standard(), "world");
  // A deadline, because making an object takes the region's administrative lock. A killed maker
  // leaves neither the lock nor half an object; a stopped one lets us time out.
  auto& visits = world.find_or_create<std::atomic<std::uint64_t>>("visits", Deadline::after(10s));
  auto& limits = world.find_or_create<Limits>("limits", Deadline::after(10s));
  // relaxed: a number on its own. The references are good as long as `world` is.
  const std::uint64_t before = visits.fetch_add(1, std::memory_order_relaxed);
  std::cout << "visit " << before + 1 << ", limits " << limits.low.load(std::memory_order_relaxed)
            << " to " << limits.high.load(std::memory_order_relaxed) << '\n';

  for (const auto& name : world.object_names()) std::cout << "object " << name << '\n';
  if (world.find<Limits>("borders") == nullptr) std::cout << "no object borders\n";
  try {
    static_cast<void>(world.find<Limits>("visits"));
  } catch (const Error& error) {
    std::cout << error.what() << '\n';  // the name stands for another type; both are named
  }
}

}  // namespace

int main() {
  try {
    visit();
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
