#include "kith/sync/guarded_bytes.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include "kith/base/error.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/mutex_state.hpp"
#include "kith/sync/internal/named_mutex.hpp"

namespace kith {
namespace internal {

struct GuardedBytesState {
  GuardedBytesState(std::unique_ptr<LockSite> site, std::span<std::byte> of_it, bool created)
      : mutex(std::move(site)), bytes(of_it), created_here(created) {}

  MutexState mutex;
  std::span<std::byte> bytes;
  bool created_here;
};

}  // namespace internal

namespace {

using internal::GuardedBytesState;
using internal::LockSite;
using internal::MutexState;
using internal::NamedMutex;

// The bytes begin on a line of their own, behind the lock.
constexpr std::uint64_t kBytesAt = 64;
static_assert(sizeof(NamedMutex) <= kBytesAt);

std::string bytes_text(std::uint64_t size) {
  return std::to_string(size) + " bytes";
}

struct GuardedBytesSpec final : internal::RegionSpec {
  // 0: opens any size.
  explicit GuardedBytesSpec(std::uint64_t wanted) : size(wanted) {
    kind = internal::kGuardedBytesKind;
    const bool fits = wanted <= ~std::uint64_t{0} - kBytesAt;  // or is refused, as it is
    content_size = fits ? kBytesAt + wanted : wanted;
    any_size_opens = true;
  }
  void accept(const internal::RegionFacts& facts, const std::string& object) const override {
    const bool is_one = facts.content_size > kBytesAt;
    if (is_one && (size == 0 || facts.content_size == kBytesAt + size)) return;
    throw Error(Errc::wrong_type,
                {.object = object,
                 .expected = size == 0 ? "guarded bytes" : bytes_text(size),
                 .found = bytes_text(is_one ? facts.content_size - kBytesAt : 0),
                 .remedy = "name one size in all programs, or remove the old object"});
  }

  std::uint64_t size;
};

std::shared_ptr<GuardedBytesState> opened(std::unique_ptr<LockSite> site) {
  const std::span<std::byte> bytes(
      site->bytes() + kBytesAt, static_cast<std::size_t>(site->region.content_size() - kBytesAt));
  const bool created_here = site->region.created_here();
  return std::make_shared<GuardedBytesState>(std::move(site), bytes, created_here);
}

std::shared_ptr<GuardedBytesState> open_or_create(const Domain& domain, const std::string& name,
                                                  std::uint64_t size,
                                                  const GuardedBytesOptions& options) {
  internal::require_bytes(name, size);
  GuardedBytesSpec spec(size);
  spec.lifetime = options.lifetime;
  spec.rights = options.rights;
  return opened(internal::open_named_lock(domain, name, LockKind::mutex, spec,
                                          offsetof(NamedMutex, member_table)));
}

Error misplaced(const std::string& object, const std::string& expected, const std::string& found) {
  return Error(Errc::invalid_argument,
               {.object = "guarded bytes in " + object,
                .expected = expected,
                .found = found,
                .remedy = "pass members of the struct that the region holds"});
}

// In the region, and not where the lock lies.
std::uint64_t offset_of(const internal::MappedRegion& region, const internal::MutexWords& lock,
                        std::span<const std::byte> bytes) {
  if (bytes.empty()) throw misplaced(region.object(), "one byte at least", "none");
  // As numbers: they may lie anywhere.
  const auto content = reinterpret_cast<std::uintptr_t>(region.content());
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto cell = reinterpret_cast<std::uintptr_t>(&lock);
  const std::uint64_t offset = first - content;
  if (offset > region.content_size() || region.content_size() - offset < bytes.size()) {
    throw misplaced(region.object(), "bytes inside that region", "some elsewhere");
  }
  const bool apart = cell - first >= bytes.size() && first - cell >= sizeof lock;
  if (!apart) throw misplaced(region.object(), "a lock beside the bytes", "one among them");
  return offset;
}

std::shared_ptr<GuardedBytesState> open_embedded(const internal::MappedRegion& region,
                                                 const internal::MutexWords& lock,
                                                 std::span<const std::byte> bytes) {
  const std::uint64_t offset = offset_of(region, lock, bytes);
  auto site = internal::open_embedded_lock(region, &lock, sizeof lock, LockKind::mutex);
  // Once more: see open_embedded_lock().
  const std::uint64_t size = site->region.content_size();
  if (offset > size || size - offset < bytes.size()) {
    throw Error(Errc::damaged, {.object = "guarded bytes in " + region.object(),
                                .expected = "the file as it was opened",
                                .found = "one that was cut short",
                                .remedy = "remove it with `kith rm --force`"});
  }
  const std::span<std::byte> own(site->region.content() + offset, bytes.size());
  return std::make_shared<GuardedBytesState>(std::move(site), own, false);
}

}  // namespace

// ---- what is held

HeldBytes::HeldBytes(std::shared_ptr<GuardedBytesState> state, LockAnswer answer) noexcept
    : state_(std::move(state)), bytes_(state_->bytes), answer_(answer) {}

LockAnswer HeldBytes::declare_consistent() noexcept {
  if (state_ == nullptr) return LockAnswer::not_owner;
  const LockAnswer answer = state_->mutex.declare_consistent();
  if (holds(answer)) answer_ = LockAnswer::acquired;
  return answer;
}

LockAnswer HeldBytes::retire() noexcept {
  if (state_ == nullptr) return LockAnswer::not_owner;
  answer_ = state_->mutex.retire();
  bytes_ = {};
  state_.reset();
  return answer_;
}

LockAnswer HeldBytes::release() noexcept {
  if (state_ == nullptr) return LockAnswer::not_owner;
  bytes_ = {};
  return std::exchange(state_, nullptr)->mutex.release();
}

// ---- the handle

GuardedBytes::GuardedBytes(const Domain& domain, const std::string& name, std::uint64_t size,
                           GuardedBytesOptions options)
    : state_(open_or_create(domain, name, size, options)) {}

GuardedBytes::GuardedBytes(const RegionHandle& region, const MutexCell& cell,
                           std::span<const std::byte> bytes)
    : state_(open_embedded(region.mapped(), cell.words_, bytes)) {}

GuardedBytes GuardedBytes::open(const Domain& domain, const std::string& name, Deadline deadline) {
  const GuardedBytesSpec spec(0);
  return GuardedBytes(opened(internal::open_existing_lock(
      domain, name, LockKind::mutex, spec, offsetof(NamedMutex, member_table), deadline)));
}

HeldBytes GuardedBytes::acquire(Deadline deadline) noexcept {
  GuardedBytesState& state = this->state();
  const LockAnswer answer = state.mutex.acquire(deadline);
  if (!holds(answer)) return HeldBytes(answer);
  return {state_, answer};
}

std::uint64_t GuardedBytes::size() const noexcept {
  return state().bytes.size();
}

MutexFacts GuardedBytes::facts() const {
  return state().mutex.facts();
}

std::uint32_t GuardedBytes::attached() const {
  return state().mutex.attached();
}

std::int64_t GuardedBytes::created_ns() const noexcept {
  return state().mutex.created_ns();
}

bool GuardedBytes::created_here() const noexcept {
  return state().created_here;
}

bool GuardedBytes::is_orphaned() const noexcept {
  return state().mutex.is_orphaned();
}

}  // namespace kith
