// A user's program, built outside the tree: it includes, links and runs the library.
#include <cstdio>

#include "kith/base/error.hpp"

int main() {
  try {
    throw kith::Error(kith::Errc::not_found, {.object = "region 'pose'"});
  } catch (const kith::Error& error) {
    std::printf("consumer: %s\n", error.what());
    return error.errc() == kith::Errc::not_found ? 0 : 1;
  }
}
