#include "tests/explore/member_world.hpp"

#include <vector>

#include "kith/base/error.hpp"

namespace kith::explored {

using internal::MappedRegion;
using internal::Membership;
using internal::RegionSpec;
using testkit::explore::is_weak;
using testkit::explore::Kernel;
using testkit::explore::kProcessesMax;
using testkit::explore::require;

namespace {

constexpr std::size_t kWords = kProcessesMax;
constexpr Kernel::Lock kExclusive = Kernel::Lock::exclusive;
constexpr const char* kGivenAway = "a living member's place is given away";
constexpr std::int64_t kMoment = 8'000'000;
constexpr std::int64_t kLater = 1000 * kMoment;

struct ObjectSpec final : RegionSpec {
  explicit ObjectSpec(const char* what) {
    kind = what;
    content_size = kWords * sizeof(std::uint64_t);
  }
};

// The healer is a plain function; there is one model at a time.
MemberWorld* current = nullptr;

auto* words_in(const MappedRegion& region) {
  return reinterpret_cast<testkit::explore::Word<std::uint64_t>*>(region.content());
}

}  // namespace

MemberWorld::MemberWorld(const MemberSetting& setting) : setting_(setting) {
  current = this;
  internal::register_healer(kKind, [](MappedRegion& region, std::uint64_t dead_owner, Deadline) {
    return current->heal(region, dead_owner);
  });
  kernel_.make_directory("/d");
  {
    const auto object = MappedRegion::create(domain(), kName, ObjectSpec(kKind));
    set_up_members(object.identity().inode);
  }
  kernel_.let_fork(setting.forks);
  for (std::uint32_t i = 0; i < setting.members; ++i) {
    const Work work = [this, i] { live(i); };
    process("member " + std::to_string(i), work, setting.returns ? work : nullptr);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, setting.returns ? work : nullptr);
  }
  if (setting.part != Part::none) {
    immortal_process("one who plays", [this] { play(setting_.part); });
  }
  if (setting.closes) immortal_process("the last", [this] { close(); });
}

// The dead have the processes, and words, that come after those of the model.
void MemberWorld::set_up_members(std::uint64_t object) {
  std::vector<std::shared_ptr<Membership>> members;
  const std::size_t first = kWords - setting_.left - setting_.dead;
  for (std::size_t i = first; i < kWords; ++i) {
    kernel_.set_up_as(i);
    members.push_back(Membership::of(domain()));
    if (i < first + setting_.left) continue;
    members.back()->attach(object);
    words()[i].store(members.back()->word());
  }
  for (std::size_t i = first; i < first + setting_.left; ++i) {
    kernel_.set_up_as(i);
    members[i - first].reset();
  }
  for (std::size_t i = first + setting_.left; i < kWords; ++i) kernel_.end_process(i);
  // Forgotten by another process than their own, as in a child.
  kernel_.set_up_as(kProcessesMax);
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain MemberWorld::domain(std::uint32_t self) const {
  DomainOptions options;
  options.members_max = setting_.places;
  return Domain::at("/as/" + std::to_string(Kernel::current().process_number() + 100 * self) + "/d",
                    options);
}

MemberWorld::Word* MemberWorld::words() const {
  const std::byte* bytes = kernel_.file_at("/d", kName).bytes;
  if (bytes == nullptr) return nullptr;
  return reinterpret_cast<Word*>(const_cast<std::byte*>(bytes) + internal::kRegionHeaderSize);
}

void MemberWorld::died(std::size_t process) {
  for (std::uint32_t self = 0; self < setting_.selves; ++self) {
    const auto life = lives_.find(process + kProcessesMax * self);
    if (life == lives_.end()) continue;
    dead_.insert(life->second);
    lives_.erase(life);
  }
}

void MemberWorld::live(std::size_t process) {
  for (std::uint32_t life = 0; life < setting_.lives; ++life) {
    if (life > 0 && setting_.sleeps) kernel_.pause_until(kernel_.now() + kMoment);
    join(process, 0, nullptr);
    require(kernel_.held_by(process) == 0, "who left has something open");
  }
}

void MemberWorld::join(std::size_t process, std::uint32_t which, const Membership* other) {
  const std::size_t ghost = process + kProcessesMax * which;
  auto self = Membership::of(domain(which));
  for (const auto& [who, word] : lives_) {
    require(internal::owner_of(word).index != self->id().index, "two members share a place");
  }
  require_no_leftovers(self->id().index);
  lives_[ghost] = self->word();
  pids_[self->word()] = kernel_.process_number();
  if (which + 1 < setting_.selves) {
    join(process, which + 1, self.get());
  } else {
    if (setting_.replaces) replace_object();
    if (!setting_.only_joins) use_object(*self, process);
    if (setting_.sleeps) kernel_.pause_until(kernel_.now() + kMoment / 4);
    look_at_the_living(*self);
    if (other != nullptr) look_at_the_living(*other);
  }
  const internal::MemberRecord& mine = *record(self->id().index);
  require(mine.state.peek() == internal::state_word(self->id().incarnation, true), kGivenAway);
  lives_.erase(ghost);
  const std::uint64_t word = self->word();
  self.reset();  // and leaves
  left_.insert(word);
}

void MemberWorld::use_object(Membership& self, std::size_t process) {
  const ObjectSpec spec(kKind);
  MappedRegion region = MappedRegion::open(domain(), kName, spec, Deadline::now());
  self.attach(region.identity().inode);
  auto* words = words_in(region);
  // release, as roles do: who finds us there finds us listed.
  words[process].store(self.word(), std::memory_order_release);
  words[process].store(0, std::memory_order_release);
  self.detach(region.identity().inode);
}

void MemberWorld::replace_object() {
  static_cast<void>(internal::remove_region(domain(), kName, Force::yes));
  static_cast<void>(MappedRegion::create(domain(), kName, ObjectSpec(kKind)));
}

void MemberWorld::reap() {
  const auto self = Membership::of(domain());
  if (setting_.only_joins) return;
  if (is_weak()) look_at_words(*self);
  look_at_the_living(*self);
  reap_dead(*self);
  if (setting_.sleeps) {
    // Not where it might see by that what the next pass is to see.
    if (setting_.returns) look_at_members(*self);
    kernel_.pause_until(kernel_.now() + kMoment / 8);
    if (setting_.returns) look_at_members(*self);
    kernel_.pause_until(kernel_.now() + kMoment / 2);
    if (setting_.returns) look_at_members(*self);
    reap_dead(*self);
    kernel_.pause_until(kernel_.now() + kMoment);
  }
  look_at_members(*self);
}

void MemberWorld::reap_dead(Membership& self) {
  const auto dead = dead_;
  static_cast<void>(self.reap_dead());
  // Others may be at it, if there are any who reap.
  if (setting_.returns || setting_.reapers != 1 || setting_.members != 1 || setting_.lives != 1) {
    return;
  }
  for (const std::uint64_t word : dead) {
    const MemberId id = internal::owner_of(word);
    const std::uint64_t state = record(id.index)->state.peek();
    require(state != internal::state_word(id.incarnation, true), "a dead member is not reaped");
    require(state != internal::state_word(id.incarnation, false) ||
                record(id.index)->attached_ready.peek() == 0,
            "a dead member's list is kept");
  }
}

// What a member does to the table, without the code that does it: few steps, so that the one who
// runs it can be met at each of them.
class MemberWorld::Player {
 public:
  explicit Player(MemberWorld& world)
      : kernel_(world.kernel_),
        directory_(kernel_.open_directory("/d").value),
        table_(kernel_.open_at(directory_, internal::kMembersName).value),
        place_(const_cast<internal::MemberRecord&>(*world.record(0))),
        records_(reinterpret_cast<std::byte*>(&place_) - internal::kRecordsOffset),
        entry_(*reinterpret_cast<Word*>(records_ + internal::lists_offset(world.setting_.places))),
        word_(world.words()[kWords - 1]),
        places_(world.setting_.places) {}
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  ~Player() {
    static_cast<void>(kernel_.close(table_));
    static_cast<void>(kernel_.close(directory_));
  }

  void play(Part part) {
    if (!take()) return;  // somebody real was faster
    const std::uint64_t state = place_.state.load(std::memory_order_acquire);
    const bool used = (state & internal::kUsed) != 0;
    next_ = internal::incarnation_of(state) + 1;
    if (part == Part::sits_down) {
      require(used || word_.load(std::memory_order_relaxed) == 0,
              "who sits down does not see what was given back");
    } else if (part == Part::comes_and_goes && used) {
      leave_alone();
      if (reap(next_ - 1)) come_and_go();
    } else if (part == Part::raises_count && !used) {
      raise_count();
    } else if (!used) {
      sit_and_die();
      if (part == Part::is_reaped) static_cast<void>(reap(next_));
    }
  }

 private:
  bool take() { return kernel_.lock(table_, internal::kLifeLocks, kExclusive).value; }
  void leave_alone() { static_cast<void>(kernel_.unlock(table_, internal::kLifeLocks)); }
  void set(std::uint32_t incarnation, bool used) {
    place_.state.store(internal::state_word(incarnation, used), std::memory_order_release);
  }
  void sleep() { kernel_.pause_until(kernel_.now() + kMoment); }

  void sit_and_die() {
    set(next_, true);
    place_.attached_ready.store(512, std::memory_order_release);
    entry_.store(kernel_.file_at("/d", kName).inode, std::memory_order_release);
    word_.store(internal::owner_word({0, next_}), std::memory_order_release);
    leave_alone();
  }

  bool reap(std::uint32_t incarnation) {
    if (!kernel_.lock(table_, internal::kReapLocks, kExclusive).value) return false;
    const bool is_left =
        place_.state.load(std::memory_order_acquire) == internal::state_word(incarnation, true);
    if (is_left) {
      word_.store(0, std::memory_order_release);
      entry_.store(0, std::memory_order_release);
      set(incarnation, false);
    }
    static_cast<void>(kernel_.unlock(table_, internal::kReapLocks));
    return is_left;
  }

  void come_and_go() {
    if (!take()) return;
    set(next_, true);
    sleep();
    set(next_, false);
    leave_alone();
    sleep();
    const std::uint64_t left = internal::state_word(next_, false);
    if (!take() || place_.state.load(std::memory_order_acquire) != left) return;
    set(next_ + 1, true);
    sleep();
    require(place_.state.peek() == internal::state_word(next_ + 1, true), kGivenAway);
    set(next_ + 1, false);
  }

  void raise_count() {
    set(next_, true);
    auto& count = *reinterpret_cast<RealAtomics::Word<std::uint32_t>*>(records_);
    count.store(places_, std::memory_order_release);
    sleep();
    require(count.peek() == places_, "records are forgotten");
    set(next_, false);
  }

  Kernel& kernel_;
  int directory_;
  int table_;
  internal::MemberRecord& place_;
  std::byte* records_;
  Word& entry_;
  Word& word_;
  std::uint32_t places_;
  std::uint32_t next_ = 0;
};

void MemberWorld::play(Part part) {
  if (setting_.sleeps) kernel_.pause_until(kernel_.now() + kMoment / 2);
  Player(*this).play(part);
}

const internal::MemberRecord* MemberWorld::record(std::uint32_t place) const {
  const std::byte* table = kernel_.file_at("/d", internal::kMembersName).bytes;
  if (table == nullptr) return nullptr;
  return reinterpret_cast<const internal::MemberRecord*>(table + internal::kRegionHeaderSize +
                                                         internal::kRecordsOffset) +
         place;
}

// Its own pass, after which nothing is repaired any more: at_end() only looks.
void MemberWorld::close() {
  kernel_.pause_until(kernel_.now() + kLater);
  {
    const auto self = Membership::of(domain());
    require(self == Membership::of(domain()), "one process is two members");
    static_cast<void>(self->reap_dead());
    for (const MemberFacts& member : self->members()) {
      require(member.id == self->id(), "at the end a member is left");
    }
  }
  closed_ = true;
}

void MemberWorld::look_at_the_living(const Membership& self) {
  if (is_weak()) return;  // the model knows more than the process was told
  const auto known = lives_;
  for (const auto& [process, word] : known) {
    const Liveness liveness = self.liveness(internal::owner_of(word));
    const auto now = lives_.find(process);
    const bool still = now != lives_.end() && now->second == word;
    require(!still || liveness == Liveness::alive, "a living member is taken for dead");
  }
}

// Who is found by its word has left once it is said to be dead: it took its word out before, and
// that is to be seen as well.
void MemberWorld::look_at_words(const Membership& self) {
  for (std::size_t i = 0; i < setting_.members; ++i) {
    const std::uint64_t word = words()[i].load(std::memory_order_acquire);
    if (!internal::has_owner(word)) continue;
    const Liveness liveness = self.liveness(internal::owner_of(word));
    if (liveness != Liveness::dead || !dead_.empty()) continue;
    require(words()[i].load(std::memory_order_relaxed) != word, "who left is not seen to");
  }
}

void MemberWorld::look_at_members(const Membership& self) {
  const auto left = left_;
  for (const MemberFacts& member : self.members()) {
    for (const auto& [process, word] : lives_) {
      if (internal::owner_of(word) != member.id) continue;
      require(member.pid == pids_.at(word), "a living member is taken for another");
    }
    const bool had_left = left.contains(internal::owner_word(member.id));
    require(is_weak() || !had_left, "who left is still there");
  }
}

// A place is only another's once what its last holder left is gone.
void MemberWorld::require_no_leftovers(std::uint32_t place) {
  const Word* words = this->words();
  for (std::size_t i = 0; words != nullptr && i < kWords; ++i) {
    if (i >= setting_.members && i + setting_.dead + 1 < kWords) continue;  // nobody's
    // relaxed: whoever sits down has been shown all that was given back.
    const std::uint64_t word =
        is_weak() ? words[i].load(std::memory_order_relaxed) : words[i].peek();
    require(!internal::has_owner(word) || internal::owner_of(word).index != place,
            "what a dead member left is still there, and its place another's");
  }
}

bool MemberWorld::heal(MappedRegion& region, std::uint64_t dead_owner) {
  for (const auto& [process, word] : lives_) {
    require(word != dead_owner, "what a living member holds is given back");
  }
  for (std::size_t i = 0; i < kWords; ++i) {
    std::uint64_t found = dead_owner;
    // release: whoever takes the place next finds it given back.
    static_cast<void>(words_in(region)[i].compare_exchange_strong(
        found, 0, std::memory_order_release, std::memory_order_relaxed));
  }
  return true;
}

// No place is taken, and none lists an object.
void MemberWorld::require_clean_table() {
  if (record(0) == nullptr) return;
  const auto* lists = reinterpret_cast<const std::byte*>(record(0)) - internal::kRecordsOffset +
                      internal::lists_offset(setting_.places);
  for (std::uint32_t i = 0; i < setting_.places; ++i) {
    require((record(i)->state.peek() & internal::kUsed) == 0, "at the end a place is taken");
    const auto* list = reinterpret_cast<const Word*>(lists + i * internal::kListsSize);
    for (std::size_t entry = 0; entry < 4; ++entry) {
      require(list[entry].peek() == 0, "at the end an object is listed");
    }
  }
}

void MemberWorld::at_end() {
  // Where the killed never return, others may still sleep.
  if (!closed_ && setting_.sleeps) return;
  if (!closed_) {
    const auto last = Membership::of(domain());
    static_cast<void>(last->reap_dead());
    for (const MemberFacts& member : last->members()) {
      require(member.id == last->id(), "at the end a member is left");
    }
  }
  const Word* words = this->words();
  for (std::size_t i = 0; words != nullptr && i < kWords; ++i) {
    require(words[i].peek() == 0, "at the end a word of a dead member is left");
  }
  if (closed_) require_clean_table();
  require(kernel_.locks_held_but_shared(internal::RegionLock::kUse) == 0, "a child keeps a lock");
  require(kernel_.locks_in_children() == 0, "a child keeps a region in use");
  kernel_.end_children();
  require(kernel_.locks_held() == 0, "at the end a lock is left");
}

void MemberWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [process, word] : lives_) note(process + word);
  for (const std::uint64_t word : left_) note(word + 1);
  for (const std::uint64_t word : dead_) note(word + 2);
  note(closed_);
}

}  // namespace kith::explored
