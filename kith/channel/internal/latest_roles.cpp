#include "kith/channel/internal/latest_roles.hpp"

#include "kith/os/futex.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

using Bank = LatestReaderBank<RealAtomics>;

// For letting go only, which never looks at the newest value.
LatestReaderCore<RealAtomics> core_at(const Bank& bank, const LatestWords& words,
                                      std::uint32_t index) {
  static const RealAtomics::Word<std::uint64_t> nothing{LatestWords::kIdle};
  return {nothing, bank, index, words};
}

}  // namespace

std::string channel_text(const Domain& domain, const std::string& name) {
  return describe_object(kLatestKind, name, domain.path());
}

LatestControl<RealAtomics>& control_of(const MappedRegion& region) noexcept {
  return *reinterpret_cast<LatestControl<RealAtomics>*>(region.content());
}

RoleRecord<RealAtomics>& writer_of(const MappedRegion& region) noexcept {
  return *reinterpret_cast<RoleRecord<RealAtomics>*>(region.content() + LatestShape::kWriterOffset);
}

Bank bank_of(const MappedRegion& region, const LatestShape& shape) noexcept {
  auto* cells = reinterpret_cast<LatestShape::Cell*>(region.content() + LatestShape::kCellsOffset);
  return {control_of(region).joined.data(), cells, shape.readers_max};
}

RoleTable writer_table_of(const MappedRegion& region) {
  RoleTable table;
  table.what = "writer of " + channel_text(region.domain(), region.name());
  table.count = 1;
  table.record = [&region](std::uint32_t) -> RoleRecord<RealAtomics>& { return writer_of(region); };
  table.prepare = [](std::uint32_t) {};
  // A writer holds nothing; but it may have been killed between its commit and its wake.
  table.drop = table.settle = [&region](std::uint32_t) {
    os::futex_add_one_and_wake_all(control_of(region).notify);
  };
  return table;
}

RoleTable reader_table_of(const Bank& bank, const LatestWords& words, std::string what) {
  RoleTable table;
  table.what = std::move(what);
  table.count = bank.count;
  table.record = [bank](std::uint32_t i) -> RoleRecord<RealAtomics>& { return bank.cells[i].role; };
  table.prepare = [](std::uint32_t) {};
  table.drop = [bank, words](std::uint32_t i) {
    auto core = core_at(bank, words, i);
    core.release();
    core.leave();  // after the claim: one that is not idle must be looked at
  };
  table.settle = [bank, words](std::uint32_t i) {
    auto core = core_at(bank, words, i);
    if (core.recover() == 0) core.leave();
  };
  return table;
}

void let_reader_go(const Bank& bank, const LatestWords& words, std::uint32_t index,
                   bool drop_name) noexcept {
  auto& owner = bank.cells[index].role.owner;
  auto core = core_at(bank, words, index);
  // relaxed: its own word, since it claimed it.
  // equivalent if remembered: nobody else changes the word of one who lives.
  const bool named = (owner.load(std::memory_order_relaxed) & kRoleNamed) != 0;
  if (named && !drop_name) {
    if (core.recover() == 0) core.leave();
    // release: what it pins, if anything, is settled before the role can be inherited. No lock is
    // held that would see to it.
    // unseen if relaxed: a processor may let this store overtake those of the claim and of who has
    // joined, which then undo those of the next holder.
    owner.store(kRoleNamed | kRoleVacant, std::memory_order_release);
  } else {
    core.release();
    core.leave();
    // release: its pin is given up before the role can be seen free, again without a lock.
    // unseen if relaxed: as above.
    owner.store(0, std::memory_order_release);
  }
}

}  // namespace kith::internal
