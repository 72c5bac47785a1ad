// plain_memory NAME: bytes without a header, as shm_open, files and memfd_create give them.
//
// For memory that other software made or is to read. Where both sides are yours, a Region also
// checks type, size and version, and knows who lives.
#include <algorithm>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include "kith/base/error.hpp"
#include "kith/memory/memfd.hpp"
#include "kith/memory/posix_shm.hpp"

namespace {

using namespace kith;

void fill(const std::span<std::byte> bytes, std::string_view text) {
  std::memcpy(bytes.data(), text.data(), std::min(bytes.size(), text.size()));
}

std::string text_in(const std::span<const std::byte> bytes) {
  return reinterpret_cast<const char*>(bytes.data());  // zeroed at creation, so it has an end
}

// shm_open, ftruncate, mmap, shm_unlink.
void by_name(const std::string& name) {
  auto frame = PosixShm::create(name, 4096);  // all its pages now: no SIGBUS later for want of room
  fill(frame.writable_bytes(), "a frame");
  const auto seen = PosixShm::open(name, Access::read_only);
  std::cout << seen.size() << " bytes: " << text_in(seen.bytes()) << '\n';
  std::cout << "writable through the read-only one: " << seen.writable_bytes().size() << '\n';
  PosixShm::remove(name);  // the name; those attached keep the bytes
  std::cout << "after the removal: " << text_in(seen.bytes()) << '\n';
}

// memfd_create, passed on as a descriptor.
void by_descriptor() {
  auto frame = Memfd::create("frame", 4096);
  frame.seal_size();  // from now on no peer can truncate it under our feet
  fill(frame.writable_bytes(), "a sealed frame");
  const auto descriptor = frame.descriptor();  // send its number over a unix socket, or inherit it
  const auto seen = Memfd::open(descriptor.number(), Access::read_only);
  std::cout << text_in(seen.bytes()) << ", sealed: " << seen.is_size_sealed() << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  try {
    by_name(count > 1 ? arguments[1] : "/kith_example_frame");
    by_descriptor();
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
