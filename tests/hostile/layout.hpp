// The bytes of every kind of region, field by field, with names: what the generator of wrong fields
// and the mutator go by. Each struct of the format is described once, in layout.cpp, and the
// compiler compares the description with the struct, so that it cannot drift.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kith::hostile {

// What a field is for, and so which wrong values are worth trying.
enum class Use {
  number,  // up to eight bytes, compared or counted with
  word,    // eight bytes that pack several numbers: owners, claims, states
  lock,    // eight bytes that say who holds a lock
  text,    // for people, ended by a zero
  raw,     // bytes that mean nothing by themselves: payloads, identities, magic
  unused,  // reserved, or between two fields
};

struct Place {
  std::string name;          // "cell 2: role: owner"
  std::uint64_t offset = 0;  // in the file
  std::uint64_t size = 0;
  Use use = Use::unused;
};

// What stands in one file, one place after the other without a gap or an overlap, from the
// beginning to the end. Of many alike (records, slots, readers) the first two and the last are
// named; what lies between them counts as unused.
using Places = std::vector<Place>;

[[nodiscard]] Places places_of_bytes(std::uint64_t file_size);
[[nodiscard]] Places places_of_type(std::uint64_t file_size);
[[nodiscard]] Places places_of_mutex(std::uint64_t file_size);
[[nodiscard]] Places places_of_cell(std::uint64_t file_size);
[[nodiscard]] Places places_of_waits(std::uint64_t file_size);
[[nodiscard]] Places places_of_rw_lock(std::uint64_t file_size);
[[nodiscard]] Places places_of_guarded(std::uint64_t file_size);
[[nodiscard]] Places places_of_cells(std::uint64_t file_size);
// One line of words in the content, and nothing more.
[[nodiscard]] Places places_of_words(std::uint64_t file_size);
[[nodiscard]] Places places_of_objects(std::uint64_t file_size, std::uint64_t objects_max);
// With the lines that say who reads, or without.
[[nodiscard]] Places places_of_members(std::uint64_t file_size, std::uint64_t members_max,
                                       bool with_readers);

struct ChannelSize {
  std::uint32_t readers_max = 0;
  std::uint32_t guests_max = 0;
  std::uint32_t spare_slots = 0;
  std::uint64_t payload_max = 0;
};
[[nodiscard]] Places places_of_channel(std::uint64_t file_size, const ChannelSize& size);
[[nodiscard]] Places places_of_data(std::uint64_t file_size, const ChannelSize& size);
[[nodiscard]] Places places_of_seats(std::uint64_t file_size, const ChannelSize& size);

// Why these places do not cover a file of that size, each byte once; empty if they do.
[[nodiscard]] std::string why_not_covering(const Places& places, std::uint64_t file_size);

}  // namespace kith::hostile
