#include "kith/sync/shared_mutex.hpp"

#include "kith/os/process.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/region.hpp"

namespace kith {
namespace {

// Refused while anybody living is attached, so two who do this at once replace it once.
void remove_if_older(const Domain& domain, const std::string& name, std::chrono::nanoseconds age) {
  if (!domain.exists()) return;
  const auto found = internal::MappedRegion::observe(domain, name);
  if (!found || os::wall_clock_ns() - found->facts().created_ns <= age.count()) return;
  static_cast<void>(internal::remove_region(domain, name, Force::no, &found->identity()));
}

Mutex opened(const Domain& domain, const std::string& name, const SharedMutexOptions& options) {
  if (options.age_max) remove_if_older(domain, name, *options.age_max);
  return Mutex(
      domain, name,
      {.recursive = options.recursive, .lifetime = options.lifetime, .rights = options.rights});
}

}  // namespace

SharedMutex::SharedMutex(const Domain& domain, const std::string& name, SharedMutexOptions options)
    : mutex_(opened(domain, name, options)) {}

}  // namespace kith
