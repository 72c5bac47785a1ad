// Member: this process as one of those that share a domain, found dead when it is.
//
//   const Member me = Member::join(domain);
//   for (const MemberFacts& member : me.members()) print(member.program, member.pid);
//   me.reap_dead();                       // whoever joins does this anyway
//
// Channels join by themselves; take a Member to look around, to reap, or to stay joined
// between handles.
//
// States       joined until the last handle of this process that needs it is gone. After a fork the
//              child is another process: its first use joins it anew, under an id of its own.
// Callers      any thread. Two copies of the library in one process are two members.
// A peer dies  the kernel drops its life lock when its address space is gone (0.2 ms for a small
//              process, 67 ms at 1 GiB resident); from then on liveness() says dead, and anybody's
//              reap gives back what it held. A stopped peer is alive. A vfork or posix_spawn child
//              that has not exec'ed yet keeps its parent alive so long.
// Cost         joining about 100 us, and some us for each other member; liveness() 5 us; no
//              descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kith/base/deadline.hpp"
#include "kith/member/member_id.hpp"
#include "kith/region/domain.hpp"

namespace kith {

namespace internal {
class Membership;
}

struct MemberFacts {
  MemberId id;
  Liveness liveness = Liveness::unknown;
  std::uint32_t pid = 0;            // as its own PID namespace counts
  std::uint64_t pid_namespace = 0;  // inode of that namespace
  std::uint32_t user = 0;
  std::string program;
  std::int64_t since_ns = 0;  // wall clock at joining
  bool reaped = true;         // false: dead, and something it held could not be given back yet
};

struct ReapSummary {
  std::uint32_t reaped = 0;    // dead members whose places are free again
  std::uint32_t unreaped = 0;  // dead members that hold something this process may not open
};

class Member {
 public:
  // Throws table_full when members_max processes are joined, and what opening a region throws.
  [[nodiscard]] static Member join(const Domain& domain);

  [[nodiscard]] MemberId id() const;
  [[nodiscard]] const Domain& domain() const noexcept { return domain_; }
  [[nodiscard]] Liveness liveness(MemberId id) const;
  // Everybody in the table, the dead who are not reaped yet included.
  [[nodiscard]] std::vector<MemberFacts> members() const;
  // What joining found to do: it reaps before anything else.
  [[nodiscard]] ReapSummary reaped_at_joining() const;
  // Gives back what the dead held. Repeatable; a reaper may die too.
  ReapSummary reap_dead() const;
  // False if the member is still alive when the deadline passes.
  [[nodiscard]] bool wait_for_death(MemberId id, Deadline deadline) const;

 private:
  explicit Member(const Domain& domain);
  internal::Membership& membership() const;

  Domain domain_;
  mutable std::shared_ptr<internal::Membership> membership_;
};

}  // namespace kith
