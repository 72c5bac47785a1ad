// How long an object stays, and what removing it can answer.
#pragma once

#include <cstdint>

namespace kith {

// Part of the format: a number keeps its meaning.
enum class Lifetime : std::uint32_t {
  // Until somebody removes it: it outlives every process, like a file.
  until_removed = 0,
  // The last handle that closes removes it. If the last user is killed instead, the object waits
  // for the next one, whole, or for `kith clean`.
  until_last_member = 1,
  // Gone with the process that created it: removed when its handle closes, refused to newcomers
  // once it is dead. Those still attached keep their mapping and are told `orphaned`.
  while_creator_lives = 2,
};

enum class Removal {
  removed,
  not_found,
  in_use,  // somebody living is attached; removing by force would leave them orphaned
};

enum class Force { no, yes };

}  // namespace kith
