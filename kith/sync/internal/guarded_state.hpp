// GuardedState: one handle on a guarded value: a mutex with a version and slots. Over bytes;
// Guarded<T> is its face.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kith/base/deadline.hpp"
#include "kith/sync/internal/guarded_core.hpp"
#include "kith/sync/internal/mutex_state.hpp"

namespace kith {

class Domain;
struct GuardedOptions;

namespace internal {

class MappedRegion;

// What two programs must agree on, and what it is at the beginning.
struct GuardedType {
  std::uint64_t fingerprint = 0;
  std::string type_name;
  std::size_t alignment = 1;
  std::span<const std::byte> first;
};

class GuardedState final : public MutexState {
 public:
  using Word = GuardedCore::Word;

  // Opens or creates the region of a named one. Throws Error.
  static GuardedState* open(const Domain& domain, const std::string& name,
                            const GuardedOptions& options, const GuardedType& type);
  // On the cell that begins with `words`: a mutex, a version and two slots, in a row; by a mapping
  // of its own. Throws Error.
  static GuardedState* open(const MappedRegion& region, const MutexWords& words,
                            const GuardedType& type);

  // A value too large for a stack is changed here; guarded by the lock.
  [[nodiscard]] std::byte* shadow() noexcept { return shadow_.get(); }

  GuardedCore core;

  // Of values up to this size none is needed: they are changed on the stack.
  static constexpr std::size_t kOnStackMax = 1024;

 private:
  struct Slots {
    Word* version;
    Word* even;
    Word* odd;
  };
  struct Freed {
    std::size_t alignment;
    void operator()(std::byte* bytes) const noexcept;
  };

  GuardedState(std::unique_ptr<LockSite> site, const Slots& slots, const GuardedType& type);

  std::unique_ptr<std::byte, Freed> shadow_;
};

}  // namespace internal
}  // namespace kith
