// The member table of a domain as bytes to read: see member/internal/table_layout.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/inspect/inspect.hpp"
#include "kith/inspect/internal/look.hpp"
#include "kith/member/member.hpp"

namespace kith::internal {

// A thread that waits, as it said.
struct WaitFacts {
  std::uint64_t waiter = 0;  // as it would stand in the lock's word
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t since = 0;  // CLOCK_MONOTONIC, ns
};

struct TableEntry {
  MemberFacts facts;
  std::vector<WaitFacts> waits;
  std::vector<std::uint64_t> attached;  // inodes
};

// The used records of the table; `look` is a look at kMembersName. Throws Error if it is damaged.
[[nodiscard]] std::vector<TableEntry> read_members(const Look& look, const std::string& object);

// A domain's table, read once for all its objects; empty if it has none or it cannot be read.
class MemberTable {
 public:
  MemberTable(const os::Descriptor& directory, const std::string& domain);

  [[nodiscard]] const std::vector<TableEntry>& entries() const noexcept { return entries_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  // Who is attached to the object, and with it whether it is orphaned.
  void count_into(ObjectFacts& facts) const;

 private:
  std::vector<TableEntry> entries_;
  std::string problem_;
};

[[nodiscard]] ObjectFacts facts_of_object(const os::Descriptor& directory, const Look& look,
                                          const std::string& name, const MemberTable& table);

}  // namespace kith::internal
