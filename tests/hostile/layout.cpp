#include "tests/hostile/layout.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "kith/base/fields.hpp"
#include "kith/channel/internal/latest_shape.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/region/internal/object_table.hpp"
#include "kith/region/layout.hpp"
#include "kith/sync/internal/named_mutex.hpp"
#include "kith/sync/internal/named_rw_lock.hpp"

#include "tests/hostile/world.hpp"

namespace kith::hostile {
namespace {

using internal::FieldTypes;
using internal::kFieldCount;
using internal::kFieldOffsets;
using internal::TypeList;

struct Field {
  const char* name;
  Use use;
};

// The fields of T in the order of their declaration. Sizes and offsets are the compiler's.
template <class T>
struct Description;

template <>
struct Description<internal::RegionHeader> {
  static constexpr std::array kFields{
      Field{"magic", Use::raw},
      Field{"byte_order", Use::number},
      Field{"format_major", Use::number},
      Field{"format_minor", Use::number},
      Field{"word_bits", Use::number},
      Field{"lifetime", Use::number},
      Field{"size", Use::number},
      Field{"content_size", Use::number},
      Field{"fingerprint", Use::number},
      Field{"identity", Use::raw},
      Field{"created_ns", Use::number},
      Field{"creator_pid", Use::number},
      Field{"has_satellites", Use::number},
      Field{"creator_program", Use::text},
      Field{"kind", Use::text},
      Field{"type_name", Use::text},
      Field{"geometry", Use::number},
      Field{"retired", Use::number},
  };
};

template <>
struct Description<internal::ObjectTable> {
  static constexpr std::array kFields{Field{"count", Use::number}};
};

template <>
struct Description<internal::ObjectEntry> {
  static constexpr std::array kFields{
      Field{"name", Use::text},   Field{"fingerprint", Use::number}, Field{"offset", Use::number},
      Field{"size", Use::number}, Field{"type_name", Use::text},
  };
};

template <>
struct Description<internal::TableHeader> {
  static constexpr std::array kFields{
      Field{"records_ready", Use::number},
      Field{"first_incarnation", Use::number},
      Field{"identity", Use::raw},
  };
};

template <>
struct Description<internal::MemberRecord> {
  static constexpr std::array kFields{
      Field{"state", Use::word},         Field{"attached_ready", Use::number},
      Field{"pid", Use::number},         Field{"pid_namespace", Use::number},
      Field{"since_ns", Use::number},    Field{"user", Use::number},
      Field{"program", Use::text},       Field{"life", Use::number},
      Field{"notes_ready", Use::number}, Field{"readers_ready", Use::number},
      Field{"reserved", Use::unused},
  };
};

template <>
struct Description<internal::WaitNote> {
  static constexpr std::array kFields{Field{"waiter", Use::lock}, Field{"inode", Use::number},
                                      Field{"offset", Use::number}, Field{"since", Use::number}};
};

using Control = internal::LatestControl<RealAtomics>;
template <>
struct Description<Control> {
  static constexpr std::array kFields{
      Field{"latest", Use::word},        Field{"notify", Use::number},
      Field{"slots_ready", Use::number}, Field{"member_table", Use::word},
      Field{"joined", Use::word},
  };
};

using Role = internal::RoleRecord<RealAtomics>;
template <>
struct Description<Role> {
  static constexpr std::array kFields{Field{"owner", Use::word}, Field{"name", Use::text},
                                      Field{"reserved", Use::unused}};
};

using Cell = internal::LatestReaderCell<RealAtomics>;
template <>
struct Description<Cell> {
  static constexpr std::array kFields{Field{"claim", Use::word}, Field{"role", Use::unused}};
};

template <>
struct Description<internal::LatestSlot> {
  static constexpr std::array kFields{Field{"sequence", Use::number}, Field{"size", Use::number},
                                      Field{"committed_ns", Use::number},
                                      Field{"reserved", Use::unused}};
};

template <>
struct Description<internal::MutexWords> {
  static constexpr std::array kFields{Field{"word", Use::lock}, Field{"depth", Use::number},
                                      Field{"waited_for", Use::word},
                                      Field{"waited_since", Use::number}};
};

template <>
struct Description<internal::RwLockWords> {
  static constexpr std::array kFields{
      Field{"mutex", Use::unused},      Field{"gate", Use::number},
      Field{"drained", Use::number},    Field{"readers", Use::number},
      Field{"member_table", Use::word}, Field{"reserved", Use::unused}};
};

// A field that was added, or taken away, is missing here or too much.
template <class... T>
constexpr bool describes_every_field() {
  return ((Description<T>::kFields.size() == kFieldCount<T>)&&...) &&
         (internal::layout_is_known<T>(FieldTypes<T>{}) && ...);
}
static_assert(
    describes_every_field<internal::RegionHeader, internal::ObjectTable, internal::ObjectEntry,
                          internal::TableHeader, internal::MemberRecord, Control, Role, Cell,
                          internal::LatestSlot, internal::MutexWords, internal::WaitNote,
                          internal::RwLockWords>());

template <class... FieldType>
constexpr std::array<std::size_t, sizeof...(FieldType)> sizes_of(TypeList<FieldType...>) {
  return {sizeof(FieldType)...};
}

// Fills a list of places from the front to the back of a file.
class Writer {
 public:
  // Up to `offset`: what nobody described.
  void skip_to(std::uint64_t offset, const std::string& name = "unused") {
    if (offset > end()) places_.push_back({name, end(), offset - end(), Use::unused});
  }
  void add(const std::string& name, std::uint64_t offset, std::uint64_t size, Use use) {
    skip_to(offset);
    const bool is_array = (use == Use::number || use == Use::word) && size > 8;
    const std::uint64_t step = is_array ? 8 : size;
    for (std::uint64_t i = 0; i < size / step; ++i) {
      const std::string number = is_array ? " " + std::to_string(i) : "";
      places_.push_back({name + number, offset + i * step, step, use});
    }
  }
  template <class T>
  void add_struct(const std::string& name, std::uint64_t offset) {
    constexpr auto kSizes = sizes_of(FieldTypes<T>{});
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
      const Field& field = Description<T>::kFields[i];
      const std::uint64_t place = offset + kFieldOffsets<T>[i];
      const std::string full = name.empty() ? field.name : name + ": " + field.name;
      if constexpr (std::is_same_v<T, Cell>) {
        if (i == 1) {
          add_struct<Role>(full, place);
          continue;
        }
      }
      if constexpr (std::is_same_v<T, internal::RwLockWords>) {
        if (i == 0) {
          add_struct<internal::MutexWords>(full, place);
          continue;
        }
      }
      add(full, place, kSizes[i], field.use);
    }
    skip_to(offset + sizeof(T));
  }
  // Each as one that may say who holds something.
  void add_words(const std::string& name, std::uint64_t offset, std::uint64_t size) {
    constexpr std::uint64_t kWord = sizeof(std::uint64_t);
    for (std::uint64_t i = 0; i < size / kWord; ++i) {
      add(name + " " + std::to_string(i), offset + i * kWord, kWord, Use::lock);
    }
  }
  [[nodiscard]] Places end_at(std::uint64_t file_size) {
    skip_to(file_size);
    return std::move(places_);
  }

 private:
  [[nodiscard]] std::uint64_t end() const {
    return places_.empty() ? 0 : places_.back().offset + places_.back().size;
  }
  Places places_;
};

Writer with_header() {
  Writer writer;
  writer.add_struct<internal::RegionHeader>("", 0);
  writer.skip_to(internal::kRegionHeaderSize);
  return writer;
}

// Of many alike, the first two and the last.
bool is_tried(std::uint64_t index, std::uint64_t count) {
  return index < 2 || index + 1 == count;
}

void add_cells(Writer& writer, const std::string& name, std::uint64_t offset, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!is_tried(i, count)) continue;
    writer.add_struct<Cell>(name + " " + std::to_string(i), offset + i * sizeof(Cell));
  }
}

internal::LatestShape shape_of(const ChannelSize& size) {
  internal::LatestShape shape;
  shape.readers_max = size.readers_max;
  shape.guests_max = size.guests_max;
  shape.spare_slots = size.spare_slots;
  shape.payload_max = size.payload_max;
  return shape;
}

void add_slots(Writer& writer, const internal::LatestShape& shape) {
  for (std::uint32_t i = 0; i < shape.slots(); ++i) {
    if (!is_tried(i, shape.slots())) continue;
    const std::uint64_t offset = internal::kRegionHeaderSize + shape.slot_offset(i);
    const std::string name = "slot " + std::to_string(i);
    writer.add_struct<internal::LatestSlot>(name, offset);
    writer.add(name + ": payload", offset + sizeof(internal::LatestSlot), shape.payload_max,
               Use::raw);
  }
}

}  // namespace

Places places_of_bytes(std::uint64_t file_size) {
  Writer writer = with_header();
  writer.add("content", internal::kRegionHeaderSize, file_size - internal::kRegionHeaderSize,
             Use::raw);
  return writer.end_at(file_size);
}

Places places_of_type(std::uint64_t file_size) {
  return places_of_bytes(file_size);
}

Places places_of_mutex(std::uint64_t file_size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add_struct<internal::MutexWords>("mutex", kContent);
  writer.add("member_table", kContent + offsetof(internal::NamedMutex, member_table),
             sizeof(std::uint64_t), Use::word);
  return writer.end_at(file_size);
}

Places places_of_cell(std::uint64_t file_size) {
  Writer writer = with_header();
  writer.add_struct<internal::MutexWords>(
      "lock", internal::kRegionHeaderSize + offsetof(GuardedThing, lock));
  return writer.end_at(file_size);
}

// Words, nearly all of them: of owners, of who is asleep, and numbers.
Places places_of_waits(std::uint64_t file_size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  const std::uint64_t end = std::min(file_size, kContent + sizeof(Waits));
  for (std::uint64_t word = kContent; word + sizeof word <= end; word += sizeof word) {
    writer.add("word at " + std::to_string(word - kContent), word, sizeof word, Use::lock);
  }
  return writer.end_at(file_size);
}

Places places_of_rw_lock(std::uint64_t file_size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add_struct<internal::RwLockWords>("lock", kContent);
  writer.add("member_table", kContent + offsetof(internal::NamedRwLock, member_table),
             sizeof(std::uint64_t), Use::word);
  return writer.end_at(file_size);
}

// A mutex, the member table, a version; then bytes, from the next line on.
Places places_of_guarded(std::uint64_t file_size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add_struct<internal::MutexWords>("mutex", kContent);
  writer.add_words("behind it", kContent + sizeof(internal::MutexWords), 4 * 8);
  const std::uint64_t bytes = kContent + 64;
  writer.add("bytes", bytes, std::min<std::uint64_t>(2 * sizeof(Thing), file_size - bytes),
             Use::raw);
  return writer.end_at(file_size);
}

Places places_of_cells(std::uint64_t file_size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  constexpr std::uint64_t kValue = kContent + offsetof(Cells, value);
  writer.add_struct<internal::RwLockWords>("lock", kContent + offsetof(Cells, lock));
  writer.add_words("value", kValue, sizeof(GuardedCell<Thing>) - 2 * sizeof(Thing));
  writer.add("slots", kValue + sizeof(GuardedCell<Thing>) - 2 * sizeof(Thing), 2 * sizeof(Thing),
             Use::raw);
  writer.add_words("once", kContent + offsetof(Cells, once), sizeof(OnceCell));
  return writer.end_at(file_size);
}

Places places_of_words(std::uint64_t file_size) {
  constexpr std::uint64_t kMost = 64;
  Writer writer = with_header();
  writer.add_words("word", internal::kRegionHeaderSize,
                   std::min(kMost, file_size - internal::kRegionHeaderSize));
  return writer.end_at(file_size);
}

Places places_of_objects(std::uint64_t file_size, std::uint64_t objects_max) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add_struct<internal::ObjectTable>("table", kContent);
  const std::uint64_t entries = kContent + internal::kEntriesOffset;
  for (std::uint64_t i = 0; i < objects_max; ++i) {
    if (!is_tried(i, objects_max)) continue;
    writer.add_struct<internal::ObjectEntry>("entry " + std::to_string(i),
                                             entries + i * sizeof(internal::ObjectEntry));
  }
  const std::uint64_t objects = entries + objects_max * sizeof(internal::ObjectEntry);
  writer.add("objects", objects, file_size - objects, Use::raw);
  return writer.end_at(file_size);
}

Places places_of_members(std::uint64_t file_size, std::uint64_t members_max, bool with_readers) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add_struct<internal::TableHeader>("table", kContent);
  for (std::uint64_t i = 0; i < members_max; ++i) {
    if (!is_tried(i, members_max)) continue;
    writer.add_struct<internal::MemberRecord>(
        "member " + std::to_string(i),
        kContent + internal::kRecordsOffset + i * sizeof(internal::MemberRecord));
  }
  for (std::uint64_t i = 0; i < members_max; ++i) {
    if (!is_tried(i, members_max)) continue;
    const std::uint64_t list =
        kContent + internal::lists_offset(members_max) + i * internal::kListsSize;
    const std::string name = "attach list " + std::to_string(i);
    writer.add(name + ": entry", list, 2 * sizeof(std::uint64_t), Use::number);
    const std::uint64_t notes = list + internal::kWaitNotesOffset;
    const std::uint64_t last = notes - sizeof(std::uint64_t);
    writer.add(name + ": last entry", last, sizeof(std::uint64_t), Use::number);
    writer.add_struct<internal::WaitNote>("wait note of " + std::to_string(i), notes);
    if (!with_readers) continue;
    const std::uint64_t line = list + internal::kReaderLinesOffset;
    writer.add(name + ": what it reads", line, 2 * sizeof(std::uint64_t), Use::word);
    writer.add(name + ": how often", line + offsetof(internal::ReaderLine, depths),
               sizeof(std::uint64_t), Use::number);
  }
  return writer.end_at(file_size);
}

Places places_of_channel(std::uint64_t file_size, const ChannelSize& size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  const internal::LatestShape shape = shape_of(size);
  writer.add_struct<Control>("control", kContent);
  writer.add_struct<Role>("writer", kContent + internal::LatestShape::kWriterOffset);
  add_cells(writer, "reader", kContent + internal::LatestShape::kCellsOffset, shape.readers_max);
  if (shape.guests_max == 0) add_slots(writer, shape);
  return writer.end_at(file_size);
}

Places places_of_data(std::uint64_t file_size, const ChannelSize& size) {
  Writer writer = with_header();
  writer.add("latest", internal::kRegionHeaderSize, sizeof(std::uint64_t), Use::word);
  add_slots(writer, shape_of(size));
  return writer.end_at(file_size);
}

Places places_of_seats(std::uint64_t file_size, const ChannelSize& size) {
  Writer writer = with_header();
  constexpr std::uint64_t kContent = internal::kRegionHeaderSize;
  writer.add("joined", kContent, internal::kJoinedWords * sizeof(std::uint64_t), Use::word);
  add_cells(writer, "guest", kContent + internal::LatestShape::kGuestCellsOffset,
            shape_of(size).guests_max);
  return writer.end_at(file_size);
}

std::string why_not_covering(const Places& places, std::uint64_t file_size) {
  std::uint64_t end = 0;
  for (const Place& place : places) {
    if (place.offset != end) return place.name + " does not begin where the one before it ends";
    if (place.size == 0) return place.name + " is empty";
    end += place.size;
  }
  return end == file_size ? "" : "the places end at " + std::to_string(end);
}

}  // namespace kith::hostile
