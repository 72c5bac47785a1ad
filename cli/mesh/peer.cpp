#include "cli/mesh/peer.hpp"

#include <chrono>
#include <fmt/format.h>

#include "cli/mesh/payload.hpp"
#include "cli/mesh/say.hpp"

namespace kith::mesh {
namespace {

LatestOptions reader_options(const Options& options, std::uint32_t self) {
  LatestOptions latest;
  latest.readers_max = options.processes - 1;
  latest.lifetime = Lifetime::until_last_member;
  latest.role = fmt::format("reader.{}", self);
  latest.deadline = Deadline::after(options.role_patience());
  return latest;
}

}  // namespace

Peer::Peer(const Domain& domain, const Options& options, std::uint32_t self, std::uint32_t other,
           Cell& books)
    : self_(self),
      other_(other),
      quiet_(options.quiet),
      books_(&books),
      reader_(domain, channel_name(other), reader_options(options, self), Inherited::resume,
              options.size) {
  held_ = reader_.resume();
  if (held_.answer() == ReadAnswer::damaged) report_torn("the value it held before is damaged");
  if (!held_) return;
  if (!is_held_whole()) {
    report_torn("the value it held before is torn");
    return;
  }
  count_ = held_.sequence();
  if (!quiet_) say("{}: read again info from {}: {}", self_, other_, count_);
}

bool Peer::is_held_whole() {
  const PayloadSeen seen = look_at_payload(held_.bytes(), other_);
  // Both numbers begin with 1 and grow by one: a difference means bytes of two values.
  return seen.whole && seen.count == held_.sequence();
}

void Peer::report_torn(const char* what) {
  add_one(books_->torn);
  say("{}: TORN read from {}: {}", self_, other_, what);
}

void Peer::read() {
  if (held_) {
    // Held since the last round, while its writer went on.
    if (!is_held_whole()) report_torn("the value it holds was changed");
    static_cast<void>(held_.refresh());
  } else {
    held_ = reader_.acquire();
  }
  add_one(books_->reads);
  if (held_) {
    take_held();
  } else if (held_.answer() == ReadAnswer::empty) {
    if (count_ != 0) add_one(books_->backwards);
    if (!quiet_) say("{}: read info from {}: empty", self_, other_);
  } else {
    report_torn("the channel is damaged");
  }
}

void Peer::take_held() {
  if (!is_held_whole()) {
    report_torn("its bytes do not belong together");
    return;
  }
  const std::uint64_t count = held_.sequence();
  if (count < count_) {
    add_one(books_->backwards);
    say("{}: BACKWARDS: read {} from {} after {}", self_, count, other_, count_);
  }
  count_ = count;
  if (!quiet_) say("{}: read info from {}: {}", self_, other_, count);
}

}  // namespace kith::mesh
