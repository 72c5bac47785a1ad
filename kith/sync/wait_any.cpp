#include "kith/sync/wait_any.hpp"

#include <algorithm>
#include <string>

#include "kith/base/contract.hpp"
#include "kith/base/error.hpp"
#include "kith/sync/internal/any_wait.hpp"

namespace kith {
namespace internal {

AnyAnswer AnyWait::run() noexcept {
  bool last = deadline_.has_passed();
  // Before it says that it waits: else whoever changes one of them next would call the kernel for
  // nobody.
  if (const auto answer = look(last)) return end(*answer);
  doubt_at_ = Deadline::after(slice_);
  while (!last) {
    last = interrupted_ || deadline_.has_passed();
    const bool ready = !last && prepare();
    if (const auto answer = look(last)) return end(*answer);
    if (const auto answer = ask_memory()) return end(*answer);
    if (ready) sleep();
  }
  return end({AnyAnswer::kNone, interrupted_ ? LockAnswer::interrupted : LockAnswer::timed_out});
}

std::optional<AnyAnswer> AnyWait::look(bool last) noexcept {
  std::optional<AnyAnswer> refused;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const std::optional<LockAnswer> answer = all_[i]->look(last);
    if (!answer) continue;
    if (holds(*answer)) return AnyAnswer{i, *answer};
    if (!refused) refused = AnyAnswer{i, *answer};
  }
  return refused;
}

bool AnyWait::prepare() noexcept {
  bool ready = true;
  until_ = deadline_;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const Rest rest = all_[i]->prepare(deadline_);
    if (rest.word == nullptr) {
      ready = false;
      continue;
    }
    words_[i] = rest.word;
    expected_[i] = {*rest.word, rest.expected};
    until_ = std::min(until_, rest.until);
  }
  return ready;
}

void AnyWait::sleep() noexcept {
  known_ = 0;
  const os::Slept slept = until(until_);
  interrupted_ = slept == os::Slept::interrupted && deadline_.is_interruptible();
  in_doubt_.reset();
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!all_[i]->woke()) in_doubt_.set(i);
  }
  // Woken by one of them, it asks nobody whether the holders of the others live: not each time.
  const bool something_moved = in_doubt_.count() < all_.size();
  if (something_moved && !doubt_at_.has_passed()) in_doubt_.reset();
  if (in_doubt_.none()) return;
  doubt_at_ = Deadline::after(slice_);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (in_doubt_.test(i)) all_[i]->doubt();
  }
}

os::Slept AnyWait::until(Deadline deadline) noexcept {
  if (known_ == all_.size()) {
    return os::futex_wait_any(std::span(expected_).first(all_.size()), deadline);
  }
  const std::size_t i = known_++;
  const std::size_t count = all_[i]->holders(holders_);
  return all_[i]->witness().asleep(*words_[i], std::span(holders_).first(count), deadline, *this);
}

std::optional<AnyAnswer> AnyWait::ask_memory() const noexcept {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!in_doubt_.test(i)) continue;
    const LockAnswer memory = all_[i]->witness().memory();
    if (memory != LockAnswer::acquired) return AnyAnswer{i, memory};
  }
  return std::nullopt;
}

AnyAnswer AnyWait::end(const AnyAnswer& answer) noexcept {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!answer.took(i)) all_[i]->give_up();
  }
  return answer;
}

AnyAnswer wait_any_of(Deadline deadline, std::span<const Waitable> objects) noexcept {
  std::array<StepsPlace, kWaitablesMax> places;
  std::array<WaitSteps*, kWaitablesMax> all;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    all[i] = &objects[i].object().begin_wait(places[i]);
  }
  return AnyWait(std::span(all).first(objects.size()), deadline).run();
}

}  // namespace internal

AnyAnswer wait_any(Deadline deadline, std::span<const Waitable> objects) {
  KITH_REQUIRE(!objects.empty(), "waiting for nothing would never end");
  if (objects.size() > kWaitablesMax) {
    throw Error(Errc::invalid_argument,
                {.object = "wait_any",
                 .expected = "at most " + std::to_string(kWaitablesMax) + " objects",
                 .found = std::to_string(objects.size()),
                 .remedy = "let several threads wait, or let all set one Event"});
  }
  return internal::wait_any_of(deadline, objects);
}

}  // namespace kith
