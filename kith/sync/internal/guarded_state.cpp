#include "kith/sync/internal/guarded_state.hpp"

#include <cstring>
#include <new>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/named_mutex.hpp"

namespace kith::internal {
namespace {

// The content of a region of kind "guarded", before its slots; these begin on lines of their own.
struct NamedGuarded {
  NamedMutex lock;
  GuardedState::Word version;
};
static_assert(sizeof(NamedGuarded) == 48);

constexpr std::uint64_t kLine = 64;
constexpr std::uint64_t kSlotsAt = kLine;

constexpr std::uint64_t slot_stride(std::uint64_t size) noexcept {
  return (size + kLine - 1) / kLine * kLine;
}

struct GuardedSpec final : RegionSpec {
  GuardedSpec(const GuardedOptions& options, const GuardedType& type) : first(type.first) {
    kind = kGuardedKind;
    fingerprint = type.fingerprint;
    type_name = type.type_name;
    content_size = kSlotsAt + 2 * slot_stride(first.size());
    lifetime = options.lifetime;
    rights = options.rights;
  }
  void fill(std::byte* content) const override {
    std::memcpy(content + kSlotsAt, first.data(), first.size());
  }

  std::span<const std::byte> first;
};

}  // namespace

void GuardedState::Freed::operator()(std::byte* bytes) const noexcept {
  ::operator delete(bytes, std::align_val_t(alignment));
}

GuardedState* GuardedState::open(const Domain& domain, const std::string& name,
                                 const GuardedOptions& options, const GuardedType& type) {
  const GuardedSpec spec(options, type);
  auto site =
      open_named_lock(domain, name, LockKind::mutex, spec, offsetof(NamedMutex, member_table));
  std::byte* const content = site->bytes();
  const std::uint64_t stride = slot_stride(type.first.size());
  const Slots slots{&reinterpret_cast<NamedGuarded*>(content)->version,
                    reinterpret_cast<Word*>(content + kSlotsAt),
                    reinterpret_cast<Word*>(content + kSlotsAt + stride)};
  return new GuardedState(std::move(site), slots, type);
}

GuardedState* GuardedState::open(const MappedRegion& region, const MutexWords& words,
                                 const GuardedType& type) {
  const std::size_t slot = guarded_words(type.first.size());
  const std::uint64_t size = sizeof words + (1 + 2 * slot) * sizeof(Word);
  auto site = open_embedded_lock(region, &words, size, LockKind::mutex);
  auto* const version = reinterpret_cast<Word*>(site->bytes() + sizeof words);
  const Slots slots{version, version + 1, version + 1 + slot};
  return new GuardedState(std::move(site), slots, type);
}

GuardedState::GuardedState(std::unique_ptr<LockSite> site, const Slots& slots,
                           const GuardedType& type)
    : MutexState(std::move(site)),
      core(*slots.version, slots.even, slots.odd),
      shadow_(nullptr, Freed{type.alignment}) {
  if (type.first.size() <= kOnStackMax) return;
  const std::align_val_t alignment{type.alignment};
  shadow_.reset(static_cast<std::byte*>(::operator new(type.first.size(), alignment)));
}

template class HandleOf<GuardedState>;

}  // namespace kith::internal
