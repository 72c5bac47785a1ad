#include "kith/sync/once.hpp"

#include <cstddef>

#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/named_mutex.hpp"

namespace kith {
namespace internal {

OnceState::OnceState(std::unique_ptr<LockSite> site, OnceCore::Word& done)
    : MutexState(std::move(site)), core(done) {}

template class HandleOf<OnceState>;

}  // namespace internal

namespace {

using internal::NamedMutex;
using internal::OnceState;
using internal::OnceWords;

// The content of a region of kind "once".
struct NamedOnce {
  NamedMutex lock;
  internal::OnceCore::Word done;
};
static_assert(sizeof(NamedOnce) == 48);

struct OnceSpec final : internal::RegionSpec {
  explicit OnceSpec(const OnceOptions& options) {
    kind = internal::kOnceKind;
    content_size = sizeof(NamedOnce);
    lifetime = options.lifetime;
    rights = options.rights;
  }
};

OnceState* opened(const Domain& domain, const std::string& name, const OnceOptions& options) {
  auto site = internal::open_named_lock(domain, name, LockKind::mutex, OnceSpec(options),
                                        offsetof(NamedMutex, member_table));
  auto& done = reinterpret_cast<NamedOnce*>(site->bytes())->done;
  return new OnceState(std::move(site), done);
}

OnceState* opened(const RegionHandle& region, const OnceWords& words) {
  auto site = internal::open_embedded_lock(region.mapped(), &words, sizeof words, LockKind::mutex);
  auto& done = reinterpret_cast<OnceWords*>(site->bytes())->done;
  return new OnceState(std::move(site), done);
}

}  // namespace

Once::Once(const Domain& domain, const std::string& name, OnceOptions options)
    : HandleOf(opened(domain, name, options)) {}

Once::Once(const RegionHandle& region, const OnceCell& cell)
    : HandleOf(opened(region, cell.words_)) {}

}  // namespace kith
