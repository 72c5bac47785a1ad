// Membership: this process's place in one domain's member table, shared by all its handles there.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kith/member/internal/owners.hpp"
#include "kith/member/internal/reader_pages.hpp"
#include "kith/member/internal/reader_table.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/last_word.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

// Gives back what a dead member held in one object. Under the object's administrative lock; every
// step repeatable, because the healer may be killed too. False if something had to stay.
using Healer = bool (*)(MappedRegion& region, std::uint64_t dead_owner, Deadline patience);

// What one pass over the dead waits in all for objects whose administrative lock is taken: it is
// held for microseconds, or by a stopped process, whose objects then wait for the next pass.
inline constexpr std::chrono::milliseconds kReapPatience{100};

// Each kind of object that holds owner words names its healer once, before it joins.
void register_healer(const std::string& kind, Healer healer);

class DeathWatch;

class Membership final : public Owners {
 public:
  // This process's membership in the domain: the one it has, or a new one. Throws Error.
  static std::shared_ptr<Membership> of(const Domain& domain);

  ~Membership() override;
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  [[nodiscard]] MemberId id() const noexcept { return id_; }
  [[nodiscard]] std::uint64_t word() const noexcept override { return owner_word(id_); }
  [[nodiscard]] std::uint64_t table_identity() const noexcept { return table_identity_; }
  // Still this process (not a forked child), and the table still bears its name.
  [[nodiscard]] bool is_usable() const noexcept;
  [[nodiscard]] bool is_this_process() const noexcept;

  [[nodiscard]] Liveness liveness(MemberId id) const noexcept override;
  // False while nothing speaks for its death: a load or two, before liveness() asks the kernel.
  [[nodiscard]] bool may_be_dead(MemberId id) const noexcept;
  // The kernel has announced its death, or it is gone.
  [[nodiscard]] bool is_dying(MemberId id) const noexcept;
  [[nodiscard]] std::string describe(MemberId id) const override;
  [[nodiscard]] std::vector<MemberFacts> members() const;
  ReapSummary reap_dead();
  // From the first call on, the kernel announces this process's death, and a thread hears of that
  // of others. Null if that could not be had; then those who wait look for themselves.
  DeathWatch* watch_deaths() noexcept;
  // Where this process's threads may say what they wait for; null if there is no page for it.
  [[nodiscard]] WaitNote* wait_notes() noexcept;
  // This process's lines of readers: at least `count`, or as many as it has so far if there is no
  // memory for more, or they are more than a member may have.
  [[nodiscard]] ReaderLines reader_lines(std::uint32_t count) noexcept;
  // Those of all members.
  [[nodiscard]] ReaderTable readers() const noexcept;
  // The table was cut short under us (see guard_truncation()): who lives and who reads cannot be
  // seen in it any more, and nobody is taken for dead by what stands there.
  [[nodiscard]] const std::atomic<bool>& table_pages_lost() const noexcept;
  [[nodiscard]] ReapSummary reaped_at_joining() const noexcept { return reaped_at_joining_; }

  // Notes that this member uses the object, before its first owner word stands there; and that it
  // no longer does, after its last one is gone. Counted: one entry for any number of handles.
  void attach(std::uint64_t inode);
  void detach(std::uint64_t inode) noexcept;
  // Living members that use the object.
  [[nodiscard]] std::uint32_t count_attached(std::uint64_t inode) const;

 private:
  explicit Membership(const Domain& domain);

  [[nodiscard]] TableHeader& header() const noexcept;
  [[nodiscard]] MemberRecord& record(std::uint32_t index) const noexcept;
  [[nodiscard]] RealAtomics::Word<std::uint64_t>* attach_list(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t members_max() const noexcept { return members_max_; }
  [[nodiscard]] std::uint32_t records_ready() const noexcept;

  void join();
  bool take_free_record();
  bool take_new_record();
  bool take(std::uint32_t index);
  void make_record_ready(std::uint32_t index);
  void leave() noexcept;
  [[nodiscard]] MemberFacts facts_of(std::uint32_t index, std::uint64_t state) const;

  enum class Reaped { not_dead, yes, unreaped };
  [[nodiscard]] std::vector<std::uint32_t> likely_dead() const;
  Reaped reap(std::uint32_t index, Deadline patience);
  [[nodiscard]] std::vector<std::uint64_t> read_list(const RealAtomics::Word<std::uint64_t>* list,
                                                     std::uint32_t entries) const;
  bool heal_all(std::uint32_t index, std::uint64_t dead_owner, Deadline patience);
  bool heal(const std::string& name, std::uint64_t inode, std::uint64_t dead_owner,
            Deadline patience);

  Domain domain_;
  MappedRegion table_;
  std::uint32_t members_max_ = 0;     // private copy of the geometry
  std::uint64_t table_identity_ = 0;  // private copy, read once
  MemberId id_;
  os::HeldLock life_;
  std::uint64_t process_mark_ = 0;
  ReapSummary reaped_at_joining_;
  std::shared_ptr<DeathWatch> watch_;
  os::LastWord last_word_;
  bool has_notes_ = false;  // not by what stands in the table: a stranger may have written it
  std::uint32_t reader_lines_ = 0;  // likewise
  std::unique_ptr<const KnownReaderPages> reader_pages_;
  struct Attached {
    std::uint32_t entry;
    std::uint32_t handles;
  };
  std::map<std::uint64_t, Attached> attached_;
};

}  // namespace kith::internal
