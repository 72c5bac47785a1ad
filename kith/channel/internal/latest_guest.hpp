// LatestGuest: a reader of a channel whose values it cannot write, and what members see of guests.
//
// A guest maps the newest word and the slots for reading only, and may write the seats' file and
// nothing else. There it says what it pins, in its own cell; whatever else it writes there, the
// writer takes for pins of guests, for each of which a slot is provided. So a guest can keep one
// slot, its own; it cannot change a value, and nobody waits for it: it holds no lock that a member
// needs, and it polls instead of asking to be woken.
//
// Guests of one channel share the seats' file and so trust each other: a hostile one can spoil what
// another one reads, never what members do.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kith/channel/internal/latest_channel.hpp"
#include "kith/member/internal/owners.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/mapping.hpp"
#include "kith/region/internal/satellite.hpp"

namespace kith::internal {

// On the guests' data, held shared by the writer while it has its role.
inline constexpr std::uint64_t kWriterLivesLock = std::uint64_t{1} << 51;
// On the guests' seats, one for each: held by the guest who sits there. Part of the format.
inline constexpr std::uint64_t kSeatLocks = std::uint64_t{1} << 51;

// Guests own words by the seat they sit on: its life lock lies on the seats' file.
class GuestSeats final : public Owners {
 public:
  // `name` and `identity` are those of the seats' file.
  GuestSeats(const Domain& domain, std::string name, const os::FileIdentity& identity);

  // Waits for who is about to leave it. Throws Error if somebody sits there.
  void sit_down(std::uint32_t index);
  void stand_up() noexcept { life_ = os::HeldLock(); }
  void forget_in_child() noexcept { life_.forget_in_child(); }

  [[nodiscard]] std::uint64_t word() const noexcept override { return owner_word(id_); }
  [[nodiscard]] Liveness liveness(MemberId id) const noexcept override;
  [[nodiscard]] std::string describe(MemberId id) const override;

 private:
  [[nodiscard]] os::Outcome<os::Descriptor> open_file() const noexcept;
  // 0, or errno; EAGAIN if somebody sits there.
  [[nodiscard]] int try_to_sit_down(std::uint32_t index) noexcept;

  Domain domain_;
  std::string name_;
  os::FileIdentity identity_;
  MemberId id_;
  os::HeldLock life_;
};

class LatestGuest final : public LatestSource {
 public:
  // Opens `request.name` as a guest. Null if there is no such channel, or none that has guests.
  // Throws Error, permission_denied where guests are welcome and this user is not one.
  static std::unique_ptr<LatestGuest> open(const Domain& domain, const LatestRequest& request);
  ~LatestGuest() override;

  ClaimedRole claim_reader(const std::string& role, Deadline deadline) override;
  void release_reader(std::uint32_t index, bool drop_name) noexcept override;
  [[nodiscard]] Liveness writer_liveness() const noexcept override;
  [[nodiscard]] bool is_orphaned() const noexcept override;
  [[nodiscard]] RealAtomics::Word<std::uint32_t>* notify() const noexcept override {
    return nullptr;
  }

 private:
  LatestGuest(const Domain& domain, const LatestRequest& request, const os::FileIdentity& object,
              RegionFile data, RegionFile seats);

  Domain domain_;
  std::string name_;
  os::FileIdentity object_;  // the channel's own file, which only members open
  os::FileIdentity seats_file_;
  os::Mapping data_;
  os::Mapping seats_map_;
  os::GuardedPages data_pages_;
  os::GuardedPages seats_pages_;
  os::Descriptor kept_;  // only where a mapping does not keep the use lock
  std::uint64_t process_mark_ = 0;
  GuestSeats seats_;
};

// A reader's way in: as a member, else as a guest.
[[nodiscard]] std::unique_ptr<LatestSource> open_for_reading(const Domain& domain,
                                                             const LatestRequest& request);

// Maps one of the guests' files, whatever length it has by now.
[[nodiscard]] os::Mapping map_guest_file(const RegionFile& file, std::uint64_t content_size,
                                         os::Access access, const std::string& object);

// The readers in a mapped file of seats.
[[nodiscard]] LatestReaderBank<RealAtomics> guest_bank(std::byte* seats_content,
                                                       const LatestShape& shape) noexcept;

// Gives back what dead guests held in the channel at `region`; where a guest is in the way, that
// waits for the next time.
void heal_dead_guests(const MappedRegion& region, const LatestShape& shape) noexcept;

}  // namespace kith::internal
