#include "tests/explore/member_world.hpp"

#include "kith/base/error.hpp"

namespace kith::explored {

using internal::MappedRegion;
using internal::Membership;
using internal::RegionSpec;
using testkit::explore::fail;
using testkit::explore::Kernel;
using testkit::explore::require;

namespace {

constexpr std::size_t kWords = testkit::explore::kProcessesMax;

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
  object_ = MappedRegion::create(domain(setting), kName, ObjectSpec(kKind));
  kernel_.let_fork(setting.forks);
  for (std::uint32_t i = 0; i < setting.members; ++i) {
    const Work work = [this, i] { live(i); };
    process("member " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain MemberWorld::domain(const MemberSetting& setting) {
  DomainOptions options;
  options.members_max = setting.places;
  return Domain::at("/as/" + std::to_string(Kernel::current().process_number()) + "/d", options);
}

void MemberWorld::live(std::size_t process) {
  const auto self = Membership::of(domain(setting_));
  for (const auto& [other, word] : lives_) {
    require(internal::owner_of(word).index != self->id().index, "two members share a place");
  }
  require_no_leftovers(self->id().index);
  lives_[process] = self->word();
  use_object(*self, process);
  look_at_the_living(*self);
  lives_.erase(process);
}  // and leaves

void MemberWorld::use_object(Membership& self, std::size_t process) {
  const ObjectSpec spec(kKind);
  MappedRegion region = MappedRegion::open(domain(setting_), kName, spec, Deadline::now());
  self.attach(region.identity().inode);
  auto* words = words_in(region);
  // release, as roles do: who finds us there finds us listed.
  words[process].store(self.word(), std::memory_order_release);
  words[process].store(0, std::memory_order_release);
  self.detach(region.identity().inode);
}

void MemberWorld::reap() {
  const auto self = Membership::of(domain(setting_));
  look_at_the_living(*self);
  static_cast<void>(self->reap_dead());
}

void MemberWorld::look_at_the_living(const Membership& self) {
  const auto known = lives_;
  for (const auto& [process, word] : known) {
    const Liveness liveness = self.liveness(internal::owner_of(word));
    const auto now = lives_.find(process);
    const bool still = now != lives_.end() && now->second == word;
    require(!still || liveness == Liveness::alive, "a living member is taken for dead");
  }
}

// A place is only another's once what its last holder left is gone.
void MemberWorld::require_no_leftovers(std::uint32_t place) {
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t word = words_in(object_)[i].peek();
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

void MemberWorld::at_end() {
  {
    const auto last = Membership::of(domain(setting_));
    static_cast<void>(last->reap_dead());
    for (const MemberFacts& member : last->members()) {
      require(member.id == last->id(), "at the end a member is left");
    }
  }
  for (std::size_t i = 0; i < kWords; ++i) {
    require(words_in(object_)[i].peek() == 0, "at the end a word of a dead member is left");
  }
  object_.close();
  kernel_.end_children();
  require(kernel_.locks_held() == 0, "at the end a lock is left");
}

void MemberWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [process, word] : lives_) note(process + word);
}

}  // namespace kith::explored
