// A program that uses what most will use: it writes a value and reads it back.
#include <cstdint>

#include "kith/channel/latest.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto domain = kith::Domain::at(arguments[1]);
  kith::LatestWriter<std::uint64_t> writer(domain, "value");
  kith::LatestReader<std::uint64_t> reader(domain, "value");
  if (writer.write(7) != kith::WriteAnswer::committed) return 1;
  return *reader.acquire() == 7 ? 0 : 1;
}
