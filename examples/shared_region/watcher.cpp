// watcher: opens the holder's region and says when the holder is gone.
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

int watch() {
  const Domain domain = Domain::standard();
  const auto answer =
      Region<std::atomic<int>>::open(domain, "answer", {.deadline = Deadline::after(10s)});
  std::cout << "watching" << std::endl;
  const Deadline patience = Deadline::after(60s);
  // Asks the kernel whether the creator's lock is held: no process numbers, no time-outs to guess.
  while (!answer.is_orphaned()) {
    if (patience.has_passed()) return 1;
    std::this_thread::sleep_for(5ms);
  }
  // Our own memory is as it was. Newcomers are refused.
  std::cout << "orphaned; the answer is still " << answer->load(std::memory_order_acquire)
            << std::endl;
  try {
    static_cast<void>(Region<std::atomic<int>>::open(domain, "answer"));
  } catch (const Error& error) {
    std::cout << error.what() << std::endl;
    return error.code() == Errc::not_found ? 0 : 1;
  }
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
