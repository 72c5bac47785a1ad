// LatestChannel: the region of a latest-value channel, opened and checked; where its words, roles
// and slots lie; who takes a role in it and who gives back a dead one's.
//
// Content of the region:
//   0      LatestControl: the newest value's word, the sleepers' word, who has joined
//   1024   the writer's RoleRecord
//   1280   LatestReaderCell, 256 bytes each, for readers_max readers
//   ...    slots, readers_max + 2 of them: LatestSlot and then the payload
// Control, cells and two slots have pages from the beginning; each reader allocates one slot more
// before it counts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "kith/channel/internal/latest_core.hpp"
#include "kith/channel/internal/role.hpp"
#include "kith/channel/latest_facts.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

inline constexpr const char* kLatestKind = "latest";
inline constexpr std::uint32_t kLatestReadersDefault = 16;
inline constexpr std::uint64_t kLatestPayloadMax = std::uint64_t{1} << 40;

struct LatestSlot {
  std::uint64_t sequence;     // of the value, counting from 1
  std::uint64_t size;         // bytes of payload
  std::int64_t committed_ns;  // monotonic clock; 0 if the channel keeps no commit times
  std::uint64_t reserved[5];
};
static_assert(sizeof(LatestSlot) == 64);

// The shape of a channel, all derived from three numbers of the region's geometry.
struct LatestShape {
  std::uint32_t readers_max = 0;
  std::uint64_t payload_max = 0;
  bool commit_time = false;

  static constexpr std::uint64_t kWriterOffset = 1024;
  static constexpr std::uint64_t kCellsOffset = 1280;

  [[nodiscard]] std::uint32_t slots() const noexcept { return readers_max + kLatestSpareSlots; }
  [[nodiscard]] std::uint64_t slot_stride() const noexcept {
    return (sizeof(LatestSlot) + payload_max + kSharedLine - 1) / kSharedLine * kSharedLine;
  }
  [[nodiscard]] std::uint64_t slot_offset(std::uint64_t index) const noexcept {
    return kCellsOffset + readers_max * sizeof(LatestReaderCell<RealAtomics>) +
           index * slot_stride();
  }
  [[nodiscard]] std::uint64_t content_size() const noexcept { return slot_offset(slots()); }
  [[nodiscard]] Geometry geometry() const noexcept {
    return {readers_max, payload_max, commit_time ? 1u : 0u};
  }
  // None if the geometry is not one this code could have written.
  [[nodiscard]] static std::optional<LatestShape> from(const RegionFacts& facts) noexcept;
};

// What a program asks of a channel; an empty optional takes what is there.
struct LatestRequest {
  std::string name;
  std::uint64_t fingerprint = 0;
  std::string type_name;
  std::optional<std::uint64_t> payload_max;  // must be set to create
  std::optional<std::uint32_t> readers_max;
  std::optional<bool> commit_time;
  bool all_slots_now = false;
  Lifetime lifetime = Lifetime::until_removed;
  std::string role;
  Deadline deadline = Deadline::now();
};

class LatestChannel {
 public:
  // Opens the channel, or creates it where the payload's size is known; joins the domain.
  LatestChannel(const Domain& domain, const LatestRequest& request);
  ~LatestChannel();
  LatestChannel(const LatestChannel&) = delete;
  LatestChannel& operator=(const LatestChannel&) = delete;

  // Take the role, waiting until the deadline for a living holder; then throw role_taken. With
  // every place taken, table_full at once.
  void claim_writer(const std::string& role, Deadline deadline);
  ClaimedRole claim_reader(const std::string& role, Deadline deadline);
  // Give the role up: a named reader's becomes vacant, unless `drop_name`.
  void release_writer() noexcept;
  void release_reader(std::uint32_t index, bool drop_name) noexcept;

  [[nodiscard]] LatestControl<RealAtomics>& control() const noexcept;
  [[nodiscard]] LatestReaderCell<RealAtomics>* cells() const noexcept;
  [[nodiscard]] LatestSlot* slot(std::uint32_t index) const noexcept;
  [[nodiscard]] std::byte* payload(std::uint32_t index) const noexcept;
  [[nodiscard]] const LatestShape& shape() const noexcept { return shape_; }
  [[nodiscard]] const MappedRegion& region() const noexcept { return region_; }
  [[nodiscard]] Liveness writer_liveness() const noexcept;
  [[nodiscard]] std::uint32_t readers_joined() const noexcept;

 private:
  void adopt_member_table();
  template <class Claim>
  auto claim_until(Deadline deadline, const Claim& claim);
  void allocate_slots(const os::Descriptor& file, std::uint32_t wanted);
  [[nodiscard]] RoleTable writer_table() const;
  [[nodiscard]] RoleTable reader_table() const;

  std::shared_ptr<Membership> membership_;  // first, so that the region closes before we leave
  MappedRegion region_;
  LatestShape shape_;
};

// The books of a channel, read without taking part in it; all zero if it is not one.
[[nodiscard]] LatestFacts look_at_latest(const MappedRegion& region);
// `kith clean --roles`: gives up the vacant roles of one channel. False if it is not a channel or
// cannot be locked in time.
bool drop_vacant_latest_roles(MappedRegion& region, std::uint32_t& dropped);
// Makes the domain's reapers able to heal channels, without opening one.
void register_latest_healer();

}  // namespace kith::internal
