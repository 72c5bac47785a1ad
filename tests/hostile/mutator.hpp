// Mutator: new scripts from old ones, the same from the same seed. It knows the layout: most of
// what it writes goes to where a field begins.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "tests/hostile/execution.hpp"
#include "tests/hostile/script.hpp"
#include "tests/hostile/world.hpp"

namespace kith::hostile {

class Mutator {
 public:
  Mutator(const World& world, Target target, std::uint64_t seed)
      : world_(world), target_(target), random_(seed) {}

  // One of `pool`, changed in a few places.
  [[nodiscard]] Script from(std::span<const Script> pool);

 private:
  void change(Script& script, std::span<const Script> pool);
  void insert(Script& script, Step step);
  [[nodiscard]] Step some_call();
  [[nodiscard]] Step some_deed(Kind kind);
  [[nodiscard]] Step some_wrong_field(Kind kind);
  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  const World& world_;
  Target target_;
  std::mt19937_64 random_;
};

}  // namespace kith::hostile
