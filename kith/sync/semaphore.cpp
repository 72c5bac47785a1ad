#include "kith/sync/semaphore.hpp"

#include <cstddef>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/fork.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/named_lock.hpp"
#include "kith/sync/internal/semaphore_core.hpp"

namespace kith {
namespace internal {

using Permits = std::span<SemaphoreCore::Word>;

class SemaphoreState final : public LockHandle, public AnyObject, private HeldByThreads {
 public:
  SemaphoreState(LockSite* site, SemaphoreWords& words, Permits permits)
      : LockHandle(site),
        HeldByThreads(site->place()),
        core_(words.announced, permits, kSleeping),
        permits_(static_cast<std::uint32_t>(permits.size())) {
    const os::ForkGuard guard;
    join();
    enlist();
  }
  ~SemaphoreState() override {
    const os::ForkGuard guard;
    // Nobody of this process could give back what it holds.
    if (delist() && is_ours()) core_.abandon(last_member());
  }

  LockAnswer acquire(Deadline deadline) noexcept {
    LockAnswer why_not{};
    if (become_known(why_not) == 0) return why_not;
    const LockAnswer answer = core_.acquire(member(), *this, deadline);
    return unless_cut_short(answer);
  }
  WaitSteps& begin_wait(StepsPlace& place) noexcept override {
    LockAnswer why_not{};
    if (become_known(why_not) == 0) return place.begin(*this, Refused(why_not));
    return place.begin(*this, core_.waiting(member(), *this));
  }
  LockAnswer release() noexcept {
    const std::uint64_t me = member();
    return me != 0 ? core_.release(me) : LockAnswer::not_owner;
  }
  [[nodiscard]] std::uint32_t permits() const noexcept { return permits_; }
  [[nodiscard]] std::uint32_t held() const noexcept { return core_.held(); }

 private:
  // A process holds permits, not a thread.
  void thread_ends(std::uint32_t) noexcept override {}
  [[nodiscard]] std::uint64_t holds_as() const noexcept override {
    return is_ours() ? last_member() : 0;
  }

  SemaphoreCore core_;
  std::uint32_t permits_;
};

namespace {

SemaphoreWords& words_in(std::byte* content) noexcept {
  return *reinterpret_cast<SemaphoreWords*>(content);
}
Permits permits_in(std::byte* content, std::uint64_t permits) noexcept {
  auto* first = reinterpret_cast<SemaphoreCore::Word*>(content + sizeof(SemaphoreWords));
  return {first, static_cast<std::size_t>(permits)};
}

struct SemaphoreSpec final : LockSpec {
  SemaphoreSpec(std::uint32_t permits, const SemaphoreOptions& options)
      : LockSpec(LockKind::semaphore,
                 sizeof(SemaphoreWords) + permits * sizeof(SemaphoreCore::Word), options.lifetime,
                 options.rights) {
    any_size_opens = true;
    geometry[0] = permits;
  }
  void accept(const RegionFacts& facts, const std::string& object) const override {
    if (facts.geometry[0] == geometry[0] && facts.content_size == content_size) return;
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = std::to_string(geometry[0]) + " permits",
                                   .found = std::to_string(facts.geometry[0]),
                                   .remedy = "pass the same number in all programs"});
  }
};

SemaphoreState* open_semaphore(const Domain& domain, const std::string& name, std::uint32_t permits,
                               const SemaphoreOptions& options) {
  if (permits < 1 || permits > kPermitsMax) {
    throw Error(Errc::invalid_argument,
                {.object = "semaphore '" + name + "'",
                 .expected = "1 to " + std::to_string(kPermitsMax) + " permits",
                 .found = std::to_string(permits),
                 .remedy = "use a CountingSemaphore for signals"});
  }
  const SemaphoreSpec spec(permits, options);
  auto site = open_named_lock(domain, name, LockKind::semaphore, spec,
                              offsetof(SemaphoreWords, member_table));
  std::byte* bytes = site->bytes();
  return new SemaphoreState(site.release(), words_in(bytes), permits_in(bytes, permits));
}

SemaphoreState* open_semaphore(const MappedRegion& region, const SemaphoreWords& words,
                               std::size_t permits) {
  const std::uint64_t size = sizeof words + permits * sizeof(SemaphoreCore::Word);
  auto site = open_embedded_lock(region, &words, size, LockKind::semaphore);
  std::byte* bytes = site->bytes();
  return new SemaphoreState(site.release(), words_in(bytes), permits_in(bytes, permits));
}

}  // namespace

bool heal_semaphore(MappedRegion& region, std::uint64_t dead_owner, Deadline) {
  const std::uint64_t size = region.content_size();
  // Nobody can hold any in what no handle can be open on.
  if (size < sizeof(SemaphoreWords)) return true;
  const std::uint64_t permits = (size - sizeof(SemaphoreWords)) / sizeof(SemaphoreCore::Word);
  if (permits > kPermitsMax) return true;
  SemaphoreCore(words_in(region.content()).announced, permits_in(region.content(), permits), {})
      .abandon(dead_owner);
  return true;
}

template class HandleOf<SemaphoreState>;

}  // namespace internal

Semaphore::Semaphore(const Domain& domain, const std::string& name, std::uint32_t permits,
                     SemaphoreOptions options)
    : HandleOf(internal::open_semaphore(domain, name, permits, options)) {}

Semaphore::Semaphore(const RegionHandle& region, const internal::SemaphoreWords& words,
                     std::span<const RealAtomics::Word<std::uint64_t>> permits)
    : HandleOf(internal::open_semaphore(region.mapped(), words, permits.size())) {}

LockAnswer Semaphore::acquire(Deadline deadline) noexcept {
  return state().acquire(deadline);
}
LockAnswer Semaphore::release() noexcept {
  return state().release();
}
std::uint32_t Semaphore::permits() const noexcept {
  return state().permits();
}
std::uint32_t Semaphore::held() const noexcept {
  return state().held();
}
Semaphore::operator Waitable() & noexcept {
  return Waitable(state());
}

}  // namespace kith
