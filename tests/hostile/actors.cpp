#include "tests/hostile/actors.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/hostile/shared_pages.hpp"

namespace kith::hostile {

std::string to_string(const Books& books) {
  std::string text = std::to_string(books.steps) + " steps, ";
  text += std::to_string(books.refusals) + " refused, " + std::to_string(books.values) +
          " values read, " + std::to_string(books.writes) + " written, " +
          std::to_string(books.locks) + " locks taken, " + std::to_string(books.damaged) +
          " answers 'damaged', " + std::to_string(books.objects) + " named objects";
  if (books.cuts > 0) text += ", " + std::to_string(books.cuts) + " cuts";
  if (books.lost_pages > 0) text += ", pages lost " + std::to_string(books.lost_pages) + " times";
  return text;
}

void defect(const std::string& what) {
  std::fprintf(stderr, "hostile: %s\n", what.c_str());
  std::abort();
}

void require_printable(const std::string& text, const char* what) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) defect(std::string(what) + " holds bytes that cannot be printed");
  }
}

void touch(std::span<const std::byte> bytes) {
  const Unwatched unwatched;
  // relaxed: nothing is concluded; a vandal may be writing.
  for (const std::byte& byte : bytes) {
    (void)std::atomic_ref(const_cast<std::byte&>(byte)).load(std::memory_order_relaxed);
  }
}

void touch(std::span<std::byte> bytes) {
  const Unwatched unwatched;
  for (std::byte& byte : bytes) {
    const std::atomic_ref place(byte);
    place.store(place.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

ReaderActor::ReaderActor(const Domain& domain, const std::string& role, Inherited inherited)
    : reader_(domain, kObject, LatestOptions{.role = role}, inherited),
      payload_max_(reader_.payload_max()) {}

void ReaderActor::look(const PinnedBytes& pinned, Books& books) {
  if (!pinned) {
    require(pinned.answer() != ReadAnswer::value, "a refusal says that there is a value");
    if (pinned.answer() == ReadAnswer::damaged) ++books.damaged;
    return;
  }
  ++books.values;
  require(pinned.bytes().size() <= payload_max_, "a value is larger than the channel takes");
  require(pinned.sequence() >= sequence_, "the number of a value has gone back");
  sequence_ = pinned.sequence();
  touch(pinned.bytes());
  (void)pinned.commit_time();
}

void ReaderActor::acquire(Books& books) {
  PinnedBytes pinned = reader_.acquire();
  if (pinned.answer() == ReadAnswer::held) return;
  look(pinned, books);
  pinned_ = std::move(pinned);
}

void ReaderActor::refresh(Books& books) {
  if (!pinned_) return acquire(books);
  (void)pinned_.refresh();
  look(pinned_, books);
}

void ReaderActor::resume(Books& books) {
  PinnedBytes pinned = reader_.resume();
  if (pinned.answer() == ReadAnswer::held) return;
  look(pinned, books);
  pinned_ = std::move(pinned);
}

void ReaderActor::copy(std::uint64_t room, Books& books) {
  std::vector<std::byte> to(room);
  std::uint64_t size = 0;
  const ReadAnswer answer = reader_.read_copy(to, size, [&](std::span<const std::byte> copy) {
    require(copy.size() <= room, "a copy is larger than its room");
    return copy.size() % 2 == 0;
  });
  if (answer == ReadAnswer::value || answer == ReadAnswer::rejected) ++books.values;
  if (answer == ReadAnswer::damaged) ++books.damaged;
  if (answer == ReadAnswer::value) require(size <= room, "a copy says more than it has room for");
}

}  // namespace kith::hostile
