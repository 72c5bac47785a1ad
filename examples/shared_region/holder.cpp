// holder: creates a region that is to live as long as this process, and waits for the end of its
// input (type a line, close the pipe, or kill it: the outcome is the same).
#include <atomic>
#include <iostream>
#include <string>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

int main() {
  using namespace kith;
  try {
    const auto answer = Region<std::atomic<int>>::create(
        Domain::standard(), "answer", {.lifetime = Lifetime::while_creator_lives});
    answer->store(42, std::memory_order_release);  // release: with the watcher's acquire
    std::cout << "holding" << std::endl;
    std::string line;
    std::getline(std::cin, line);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
