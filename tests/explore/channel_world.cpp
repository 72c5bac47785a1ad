#include "tests/explore/channel_world.hpp"

#include <cstring>
#include <string>

namespace kith::explored {

using testkit::explore::Kernel;
using testkit::explore::require;

ChannelWorld::ChannelWorld(const ChannelSetting& setting) : setting_(setting) {
  kernel_.make_directory("/d");
  // The channel is there before anybody runs: how one is opened, other models explore.
  kernel_.set_up_as(0);
  writer_.emplace(new_writer());
  process(
      "writer", [this] { write(*writer_); },
      [this] {
        LatestBytesWriter again = new_writer();
        write(again);
      });
  for (std::uint32_t i = 0; i < setting.readers; ++i) {
    kernel_.set_up_as(1 + i);
    readers_.push_back(new_reader());
  }
  for (std::uint32_t i = 0; i < setting.readers; ++i) {
    process(
        "reader " + std::to_string(i), [this, i] { read(readers_[i]); },
        [this] {
          LatestBytesReader again = new_reader();
          read(again);
        });
  }
  began_ = kernel_.now();
}

ChannelWorld::~ChannelWorld() {
  kernel_.set_up_as(0);
  writer_.reset();
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    kernel_.set_up_as(1 + i);
    const LatestBytesReader ended = std::move(readers_[i]);
  }
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain ChannelWorld::domain() {
  DomainOptions options;
  options.members_max = 4;
  return Domain::at("/as/" + std::to_string(Kernel::current().process_number()) + "/d", options);
}

LatestBytesWriter ChannelWorld::new_writer() {
  return LatestBytesWriter(domain(), "x", sizeof(std::uint64_t), {.readers_max = 4});
}

LatestBytesReader ChannelWorld::new_reader() {
  return LatestBytesReader(domain(), "x", {.readers_max = 4});
}

void ChannelWorld::write(LatestBytesWriter& writer) {
  while (writer.sequence() < setting_.writes) {
    const std::uint64_t number = writer.sequence() + 1;
    require(writer.write(std::as_bytes(std::span(&number, 1))) == WriteAnswer::committed,
            "a value was refused");
  }
}

void ChannelWorld::read(LatestBytesReader& reader) {
  for (std::uint64_t last = 0; last < setting_.writes;) {
    require(reader.wait_newer(Deadline::never()) == WaitAnswer::newer, "waiting failed");
    const PinnedBytes pinned = reader.acquire();
    require(static_cast<bool>(pinned), "there is said to be a newer value, and is none");
    std::uint64_t number = 0;
    std::memcpy(&number, pinned.bytes().data(), sizeof number);
    require(number == pinned.sequence(), "a torn value");
    require(number > last, "a value that is not newer");
    last = number;
  }
}

void ChannelWorld::at_end() {
  require(somebody_died_ || kernel_.now() == began_, "a reader slept through a value");
}

}  // namespace kith::explored
