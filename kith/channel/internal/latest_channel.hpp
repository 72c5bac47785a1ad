// LatestChannel: a latest-value channel opened and checked by a member, who may do everything in
// it: take a role, and give back a dead one's. LatestGuest (latest_guest.hpp) is its counterpart
// for those who may only read. Both are a LatestSource for readers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kith/channel/internal/latest_core.hpp"
#include "kith/channel/internal/latest_shape.hpp"
#include "kith/channel/internal/role.hpp"
#include "kith/channel/latest_facts.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/truncation_guard.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

// What a program asks of a channel; an empty optional takes what is there.
struct LatestRequest {
  std::string name;
  std::uint64_t fingerprint = 0;
  std::string type_name;
  std::optional<std::uint64_t> payload_max;  // must be set to create
  std::optional<std::uint32_t> readers_max;
  std::optional<bool> commit_time;
  std::optional<std::uint32_t> spare_slots;
  std::optional<std::uint32_t> guests_max;
  Rights rights;
  bool all_slots_now = false;
  Lifetime lifetime = Lifetime::until_removed;
  std::string role;
  Deadline deadline = Deadline::now();
};

// What a reader needs of a channel, whether it is a member or a guest there.
class LatestSource {
 public:
  using Newest = RealAtomics::Word<std::uint64_t>;
  using Bank = LatestReaderBank<RealAtomics>;

  virtual ~LatestSource() = default;
  LatestSource(const LatestSource&) = delete;
  LatestSource& operator=(const LatestSource&) = delete;

  // Take a reader's role, waiting until the deadline for a living holder; then throw role_taken.
  // With every place taken, table_full at once.
  virtual ClaimedRole claim_reader(const std::string& role, Deadline deadline) = 0;
  // Gives the role up: a named one becomes vacant, unless `drop_name`.
  virtual void release_reader(std::uint32_t index, bool drop_name) noexcept = 0;
  [[nodiscard]] virtual Liveness writer_liveness() const noexcept = 0;
  [[nodiscard]] virtual bool is_orphaned() const noexcept = 0;
  // What sleepers sleep on; null where a reader must not ask the writer for anything.
  [[nodiscard]] virtual RealAtomics::Word<std::uint32_t>* notify() const noexcept = 0;

  // Where this source's readers lie, the newest value's word, and the slots.
  [[nodiscard]] const Bank& bank() const noexcept { return bank_; }
  [[nodiscard]] const Newest& newest() const noexcept { return *newest_; }
  [[nodiscard]] const LatestShape& shape() const noexcept { return shape_; }
  [[nodiscard]] LatestSlots slots() const noexcept {
    return {slots_, shape_.slot_stride(), shape_.payload_max, slot_pages_->flag()};
  }

 protected:
  LatestSource() = default;
  // `content` is that of the file which holds the slots.
  void set_places(const LatestShape& shape, const Bank& bank, const Newest& newest,
                  const std::byte* content, const os::GuardedPages& slot_pages) noexcept {
    shape_ = shape;
    bank_ = bank;
    newest_ = &newest;
    slots_ = content + shape.slot_offset(0);
    slot_pages_ = &slot_pages;
  }

 private:
  LatestShape shape_;
  Bank bank_;
  const Newest* newest_ = nullptr;
  const std::byte* slots_ = nullptr;
  const os::GuardedPages* slot_pages_ = nullptr;
};

class LatestChannel final : public LatestSource {
 public:
  // Opens the channel, or creates it where the payload's size is known; joins the domain.
  LatestChannel(const Domain& domain, const LatestRequest& request);
  ~LatestChannel() override;

  // As claim_reader.
  void claim_writer(const std::string& role, Deadline deadline);
  void release_writer() noexcept;
  ClaimedRole claim_reader(const std::string& role, Deadline deadline) override;
  void release_reader(std::uint32_t index, bool drop_name) noexcept override;

  [[nodiscard]] Liveness writer_liveness() const noexcept override;
  [[nodiscard]] bool is_orphaned() const noexcept override { return region_.is_orphaned(); }
  [[nodiscard]] RealAtomics::Word<std::uint32_t>* notify() const noexcept override {
    return &control().notify;
  }

  [[nodiscard]] LatestWriterCore<RealAtomics> writer_core() const;
  [[nodiscard]] LatestControl<RealAtomics>& control() const noexcept;
  [[nodiscard]] const MappedRegion& region() const noexcept { return region_; }
  [[nodiscard]] std::uint32_t readers_joined() const noexcept;

 private:
  void open_satellites(const LatestShape& shape);
  void adopt_member_table();
  template <class Claim>
  auto claim_until(Deadline deadline, const Claim& claim);
  void allocate_slots(const os::Descriptor& file, std::uint32_t wanted);

  std::shared_ptr<Membership> membership_;  // first, so that the region closes before we leave
  MappedRegion region_;
  // Of a channel with guests.
  os::Mapping data_;
  os::Mapping seats_;
  os::GuardedPages data_pages_;
  os::GuardedPages seats_pages_;
  Bank guests_;
  os::HeldLock writing_;  // tells guests that there is a writer
};

// Throws wrong_type or damaged unless the channel that is there is the one asked for.
void check_latest(const LatestRequest& request, const RegionFacts& facts, LatestShape::Part part,
                  const std::string& object);

// The books of a channel, read without taking part in it; all zero if it is not one.
[[nodiscard]] LatestFacts look_at_latest(const MappedRegion& region);
// `kith clean --roles`: gives up the vacant roles of one channel. False if it is not a channel or
// cannot be locked in time.
bool drop_vacant_latest_roles(MappedRegion& region, std::uint32_t& dropped);
// Makes the domain's reapers able to heal channels, without opening one.
void register_latest_healer();

}  // namespace kith::internal
