#include "kith/member/member.hpp"

#include <algorithm>

#include "kith/member/internal/membership.hpp"
#include "kith/os/futex.hpp"

namespace kith {

Member Member::join(const Domain& domain) {
  return Member(domain);
}

Member::Member(const Domain& domain)
    : domain_(domain), membership_(internal::Membership::of(domain)) {}

internal::Membership& Member::membership() const {
  // A forked child is another process: it joins under an id of its own.
  if (!membership_->is_this_process()) membership_ = internal::Membership::of(domain_);
  return *membership_;
}

MemberId Member::id() const {
  return membership().id();
}

Liveness Member::liveness(MemberId id) const {
  return membership().liveness(id);
}

std::vector<MemberFacts> Member::members() const {
  return membership().members();
}

ReapSummary Member::reap_dead() const {
  return membership().reap_dead();
}

ReapSummary Member::reaped_at_joining() const {
  return membership().reaped_at_joining();
}

bool Member::wait_for_death(MemberId id, Deadline deadline) const {
  using namespace std::chrono_literals;
  // The truth about death is a lock that cannot be slept on with a deadline: the kernel frees it
  // when the address space is gone, which takes 0.2 ms or, with gigabytes mapped, 250 ms.
  for (auto pause = 50us;; pause = std::min(pause * 2, 5000us)) {
    if (liveness(id) == Liveness::dead) return true;
    if (deadline.has_passed()) return false;
    os::pause_for(pause, deadline);
  }
}

}  // namespace kith
