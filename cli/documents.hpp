// The JSON that commands answer with; docs/command.md is its description. Keys are only added:
// whoever changes or drops one raises kSchema.
#pragma once

#include <string>
#include <vector>

#include "kith/inspect/domains.hpp"
#include "kith/inspect/foreign.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/inspect/members.hpp"
#include "kith/inspect/object.hpp"
#include "kith/inspect/processes.hpp"

#include "cli/output.hpp"

namespace kith::cli {

inline constexpr int kSchema = 1;

// "in_use", "orphaned", "unused": how ls and show call the state of an object.
[[nodiscard]] const char* state_word(const ObjectFacts& object);
[[nodiscard]] const char* state_word(const DomainFacts& domain);
[[nodiscard]] const char* state_word(const ForeignFacts& object);
[[nodiscard]] const char* state_word(const MemberFacts& member);
[[nodiscard]] const char* state_word(RoleState state);
[[nodiscard]] const char* kind_word(ForeignKind kind);
// The word of a state as people read it, and its colour: "in use".
[[nodiscard]] Cell state_cell(const std::string& word);

// The beginning of every document: {"schema": 1, "command": ...}.
[[nodiscard]] Json document_of(const char* command);
[[nodiscard]] Json json_of(const ObjectFacts& object);
[[nodiscard]] Json json_of(const LatestFacts& books);
[[nodiscard]] Json json_of(const DomainFacts& domain);
[[nodiscard]] Json json_of(const MemberView& member);
[[nodiscard]] Json json_of(const ForeignFacts& object);
[[nodiscard]] Json json_of(const MutexView& mutex);
[[nodiscard]] Json json_of(const LockState& lock);
[[nodiscard]] Json json_of(const ObjectView& view);
[[nodiscard]] Json json_of(const std::vector<ProcessUse>& users);

}  // namespace kith::cli
