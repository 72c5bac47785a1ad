#include "kith/sync/barrier.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/os/fork.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/named_lock.hpp"

namespace kith {
namespace internal {

using Seats = std::span<BarrierSeat>;

class BarrierState final : public LockHandle {
 public:
  BarrierState(LockSite* site, BarrierHead& head, Seats seats)
      : LockHandle(site), core_(head.words, seats, kSleeping), parties_(seats.size()) {
    const os::ForkGuard guard;
    join();
    party_ = member();
    seat_ = core_.sit_down(party_, *this);
    if (seat_ != BarrierCore::kNoSeat) return;
    throw Error(Errc::limit_reached,
                {.object = object(),
                 .expected = "at most " + std::to_string(parties_) + " parties",
                 .found = "one more, and all of them live",
                 .remedy = "end one of them, or create it for more"});
  }
  ~BarrierState() override { leave(); }

  LockAnswer arrive_and_wait(Deadline deadline) noexcept {
    if (seat_ == BarrierCore::kNoSeat || member() != party_) return LockAnswer::not_owner;
    LockAnswer answer{};
    if (become_known(answer) == 0) return answer;
    if (!arrived_) {
      arrived_ = core_.phase();
      core_.arrive(seat_, *arrived_);
    }
    answer = core_.wait(*arrived_, *this, deadline);
    if (holds(answer)) arrived_.reset();
    return unless_cut_short(answer);
  }

  void leave() noexcept {
    const std::size_t seat = std::exchange(seat_, BarrierCore::kNoSeat);
    if (seat != BarrierCore::kNoSeat && is_ours() && last_member() == party_) {
      core_.leave(seat, party_);
    }
  }

  [[nodiscard]] std::size_t parties() const noexcept { return parties_; }
  [[nodiscard]] std::uint64_t phase() const noexcept { return core_.phase(); }

 private:
  BarrierCore core_;
  std::size_t parties_;
  std::uint64_t party_ = 0;
  std::size_t seat_ = BarrierCore::kNoSeat;
  std::optional<std::uint64_t> arrived_;  // in a phase that it has not seen the end of
};

namespace {

BarrierHead& head_in(std::byte* content) noexcept {
  return *reinterpret_cast<BarrierHead*>(content);
}
Seats seats_in(std::byte* content, std::uint64_t parties) noexcept {
  auto* first = reinterpret_cast<BarrierSeat*>(content + sizeof(BarrierHead));
  return {first, static_cast<std::size_t>(parties)};
}

struct BarrierSpec final : LockSpec {
  BarrierSpec(std::uint32_t parties, const BarrierOptions& options)
      : LockSpec(LockKind::barrier, sizeof(BarrierHead) + parties * sizeof(BarrierSeat),
                 options.lifetime, options.rights) {
    any_size_opens = true;
    geometry[0] = parties;
  }
  void accept(const RegionFacts& facts, const std::string& object) const override {
    if (facts.geometry[0] == geometry[0] && facts.content_size == content_size) return;
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = std::to_string(geometry[0]) + " parties",
                                   .found = std::to_string(facts.geometry[0]),
                                   .remedy = "pass the same number in all programs"});
  }
};

BarrierState* open_barrier(const Domain& domain, const std::string& name, std::uint32_t parties,
                           const BarrierOptions& options) {
  if (parties < 1 || parties > kPartiesMax) {
    throw Error(Errc::invalid_argument,
                {.object = "barrier '" + name + "'",
                 .expected = "1 to " + std::to_string(kPartiesMax) + " parties",
                 .found = std::to_string(parties),
                 .remedy = "agree on fewer"});
  }
  const BarrierSpec spec(parties, options);
  auto site =
      open_named_lock(domain, name, LockKind::barrier, spec, offsetof(BarrierHead, member_table));
  std::byte* bytes = site->bytes();
  return new BarrierState(site.release(), head_in(bytes), seats_in(bytes, parties));
}

BarrierState* open_barrier(const MappedRegion& region, const BarrierHead& head,
                           std::size_t parties) {
  const std::uint64_t size = sizeof head + parties * sizeof(BarrierSeat);
  auto site = open_embedded_lock(region, &head, size, LockKind::barrier);
  std::byte* bytes = site->bytes();
  return new BarrierState(site.release(), head_in(bytes), seats_in(bytes, parties));
}

}  // namespace

bool heal_barrier(MappedRegion& region, std::uint64_t dead_owner, Deadline) {
  const std::uint64_t size = region.content_size();
  // Nobody can sit in what no handle can be open on.
  if (size < sizeof(BarrierHead)) return true;
  const std::uint64_t parties = (size - sizeof(BarrierHead)) / sizeof(BarrierSeat);
  if (parties > kPartiesMax) return true;
  BarrierCore(head_in(region.content()).words, seats_in(region.content(), parties), {})
      .abandon(dead_owner);
  return true;
}

template class HandleOf<BarrierState>;

}  // namespace internal

Barrier::Barrier(const Domain& domain, const std::string& name, std::uint32_t parties,
                 BarrierOptions options)
    : HandleOf(internal::open_barrier(domain, name, parties, options)) {}

Barrier::Barrier(const RegionHandle& region, const internal::BarrierHead& head,
                 std::span<const internal::BarrierSeat> seats)
    : HandleOf(internal::open_barrier(region.mapped(), head, seats.size())) {}

AwaitAnswer Barrier::arrive_and_wait(Deadline deadline) noexcept {
  return internal::await_answer(state().arrive_and_wait(deadline));
}
void Barrier::leave() noexcept {
  state().leave();
}
std::uint32_t Barrier::parties() const noexcept {
  return static_cast<std::uint32_t>(state().parties());
}
std::uint64_t Barrier::phase() const noexcept {
  return state().phase();
}

}  // namespace kith
