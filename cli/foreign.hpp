// Objects that kith did not make, as `kith ls --all` and `kith show` print them.
#pragma once

#include <string>

#include "kith/inspect/foreign.hpp"

#include "cli/output.hpp"

namespace kith::cli {

// A table for each kind of which there is one, under its heading; then what could not be listed.
void print_foreign(const Output& output, const ForeignListing& listing);
// "3 semaphores, key 0x0000002a"
[[nodiscard]] std::string details_of(const ForeignFacts& object);
// Everything about one of them.
void print_foreign_view(const Output& output, const ForeignView& view);
// How many processes could not be looked at, if any.
void print_unseen(const Output& output, std::uint32_t processes);
// Processes, addresses, rights and resident bytes, under their heading.
void print_users(const Output& output, const std::vector<ProcessUse>& users,
                 std::uint32_t processes_unseen);

}  // namespace kith::cli
