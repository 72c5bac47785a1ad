// Execution: runs one script in this process. Returns if all was well, and ends the process if not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tests/hostile/books.hpp"
#include "tests/hostile/script.hpp"
#include "tests/hostile/vandal.hpp"
#include "tests/hostile/world.hpp"

namespace kith::hostile {

// What a target lets the script's vandal do; the rest of what a script asks for is left out.
enum class Target {
  operations,  // bytes change between operations
  flips,       // and after each look at them
  truncation,  // files are cut short, between and while; under guard_truncation()
  sealed,      // the same, where seals forbid it; without that guard
};
inline constexpr Target kTargets[] = {Target::operations, Target::flips, Target::truncation,
                                      Target::sealed};
[[nodiscard]] const char* name_of(Target target);

class Stage {
 public:
  explicit Stage(Target target);

  void run(const Script& script);
  [[nodiscard]] Books& books() { return *books_; }
  // Counts there from now on.
  void count_in(Books& books) { books_ = &books; }
  [[nodiscard]] const World& world() const { return world_; }

 private:
  void spoil(const Step& step);
  void cut(const Step& step);

  Target target_;
  World world_;
  TurnVandal turns_;
  // Made at the first need, so that this can be made before a fork.
  std::optional<ThreadVandal> thread_;
  Books own_books_;
  Books* books_ = &own_books_;
};

}  // namespace kith::hostile
