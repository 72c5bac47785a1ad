// Seeds: for every kind of region, and every field of every file of it, the valid region with that
// one field wrong in each way that is likely to be believed; before it is opened, and while it is
// in use. Made from the description of the layout (layout.hpp), not by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/hostile/script.hpp"
#include "tests/hostile/world.hpp"

namespace kith::hostile {

// Numbers to put in place of `right` where `size` bytes stand: the limits of the type, neighbours,
// what is used as a size elsewhere in the file. Never `right` itself.
[[nodiscard]] std::vector<std::uint64_t> wrong_numbers(std::uint64_t right, std::uint64_t size,
                                                       Use use, std::uint64_t file_size);

// The steps that make the field at `place` wrong, one script's worth each.
[[nodiscard]] std::vector<Step> wrong_fields(const FileImage& image, std::uint8_t file,
                                             const Place& place);

// Everything that is done with a valid world of this kind, with nothing wrong.
[[nodiscard]] Script usual_script(Kind kind);

[[nodiscard]] std::vector<Script> seeds_of(const World& world, Kind kind);

}  // namespace kith::hostile
