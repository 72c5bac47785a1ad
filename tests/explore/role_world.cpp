#include "tests/explore/role_world.hpp"

#include <algorithm>
#include <cstring>

#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_roles.hpp"
#include "kith/region/internal/region_file.hpp"
#include "kith/region/layout.hpp"

namespace kith::explored {

using internal::LatestChannel;
using internal::LatestRequest;
using internal::LatestWords;
using internal::Membership;
using testkit::explore::fail;
using testkit::explore::Kernel;
using testkit::explore::require;

namespace {

constexpr const char* kName = "x";
constexpr std::size_t kModel = testkit::explore::kProcessesMax;

std::uint64_t number_in(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  require(bytes.size() == sizeof number, "a value of another size than any was written");
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

RoleWorld::RoleWorld(const RoleSetting& setting) : setting_(setting) {
  kernel_.make_directory("/d");
  {
    LatestBytesWriter first(domain(), kName, setting.payload_max, options(""));
    for (published_ = 1; published_ < 3; ++published_) {
      static_cast<void>(first.write(std::as_bytes(std::span(&published_, 1))));
    }
    published_ = first.sequence();
  }
  LatestRequest request;
  request.name = kName;
  channel_ = std::make_unique<LatestChannel>(domain(), request);
  for (std::size_t i = 0; i < setting.deeds.size(); ++i) {
    kernel_.set_up_as(i);
    members_[i] = Membership::of(domain());
    words_[i] = members_[i]->word();
    const RoleDeed deed = setting.deeds[i];
    process(
        "process " + std::to_string(i), [this, i, deed] { carry_out(i, deed); },
        [this, i, deed] {
          const auto self = Membership::of(domain());
          words_[i] = self->word();
          carry_out(i, deed);
        });
  }
  kernel_.set_up_as(kModel);
}

RoleWorld::~RoleWorld() {
  for (auto& [process, member] : members_) {
    kernel_.set_up_as(process);
    member.reset();
  }
  kernel_.set_up_as(kModel);
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain RoleWorld::domain() {
  DomainOptions options;
  options.members_max = 6;
  return Domain::at("/as/" + std::to_string(Kernel::current().process_number()) + "/d", options);
}

LatestOptions RoleWorld::options(const std::string& role) const {
  LatestOptions options;
  options.readers_max = setting_.places;
  options.role = role;
  return options;
}

void RoleWorld::carry_out(std::size_t process, RoleDeed deed) {
  switch (deed) {
    case RoleDeed::write:
      return stay(process, {.writes = true}, [&] { write(process, "", Deadline::now()); });
    case RoleDeed::write_named:
      return stay(process, {.writes = true}, [&] { write(process, "w", Deadline::now()); });
    case RoleDeed::wait_to_write:
      return stay(process, {.writes = true, .waits = true},
                  [&] { write(process, "", Deadline::never()); });
    case RoleDeed::read:
      return stay(process, {}, [&] { read(process, "", false); });
    case RoleDeed::read_named:
      return stay(process, {.is_named = true}, [&] { read(process, "r", false); });
    case RoleDeed::read_and_go:
      return stay(process, {.is_named = true}, [&] { read(process, "r", true); });
    case RoleDeed::watch_writer:
      return stay(process, {}, [&] { watch(process); });
    case RoleDeed::count_readers:
      return stay(process, {.writes = true}, [&] { count(process); });
    case RoleDeed::replace_table:
      return replace_table(process);
    case RoleDeed::reap:
      static_cast<void>(Membership::of(domain())->reap_dead());
      return;
    case RoleDeed::clean:
      left_ = 0;
      drop_names();
      return;
  }
}

void RoleWorld::stay(std::size_t process, const Stay& kind, const std::function<void()>& use) {
  ++comings_;
  stays_[process] = kind;
  const bool was_taken = is_taken(process);
  const std::uint64_t before = comings_;
  try {
    use();
  } catch (const Error& error) {
    const bool refused = error.errc() == Errc::role_taken || error.errc() == Errc::table_full;
    const bool strange = error.errc() == Errc::orphaned && table_was_replaced_;
    if (!strange && (!refused || kind.waits)) fail(std::string("threw ") + error.what());
    require(was_taken || comings_ != before, "it was refused a role that nobody has who lives");
    require(!place_of(process), "it was refused, and has the role");
  }
  stays_.erase(process);
}

// ---- a writer

void RoleWorld::write(std::size_t process, const std::string& role, Deadline deadline) {
  LatestOptions asks = options(role);
  asks.deadline = deadline;
  LatestBytesWriter writer(domain(), kName, setting_.payload_max, asks);
  has(process);
  require(writer.sequence() >= published_, "it does not go on where the last writer ended");
  require(number_in(writer.last()) == writer.sequence(), "the last value is not the last writer's");
  // Two, so that a reader may hold a value older than the newest.
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t number = writer.sequence() + 1;
    require(writer.write(std::as_bytes(std::span(&number, 1))) == WriteAnswer::committed,
            "a value was refused");
    published_ = writer.sequence();
  }
  require(writer.readers_joined() <= setting_.places, "more readers than places");
  lets_go(process);
}

// ---- readers

void RoleWorld::read(std::size_t process, const std::string& role, bool retires) {
  LatestBytesReader reader(domain(), kName, options(role), Inherited::resume);
  has(process);
  if (!role.empty()) resume(process, reader);
  {
    const PinnedBytes pinned = reader.acquire();
    require(static_cast<bool>(pinned), "it was given no value");
    hold(process, pinned, reader);
  }
  look_at_the_writer(reader);
  if (retires) reader.retire_role();
  lets_go(process);
}

void RoleWorld::resume(std::size_t process, LatestBytesReader& reader) {
  const PinnedBytes pinned = reader.resume();
  require(left_ == 0 || (pinned && pinned.sequence() == left_),
          "what the last of its name held is lost");
  require(may_be_left_ || !pinned, "it resumed what had been let go");
  if (pinned) hold(process, pinned, reader);
  left_ = 0;
  may_be_left_ = false;
}

void RoleWorld::hold(std::size_t process, const PinnedBytes& pinned, LatestBytesReader& reader) {
  stays_[process].holds = pinned.sequence();
  testkit::explore::act();  // its user has the value
  require(number_in(pinned.bytes()) == pinned.sequence(), "a torn value");
  static_cast<void>(reader.has_newer());  // a while goes by
  require(number_in(pinned.bytes()) == pinned.sequence(), "what it holds has changed");
  stays_[process].holds = 0;
  left_ = 0;
}

void RoleWorld::look_at_the_writer(const LatestBytesReader& reader) {
  const auto one_has = [&] {
    return std::any_of(stays_.begin(), stays_.end(),
                       [](const auto& one) { return one.second.writes && one.second.has; });
  };
  const auto one_is_there = [&] {
    return std::any_of(stays_.begin(), stays_.end(),
                       [](const auto& one) { return one.second.writes; });
  };
  const std::uint64_t before = comings_;
  const bool had = one_has();
  const bool was_there = one_is_there();
  const Liveness answer = reader.writer_liveness();
  if (testkit::explore::is_weak() || comings_ != before) return;
  require(!had || !one_has() || answer == Liveness::alive, "a living writer is taken for dead");
  require(was_there || answer == Liveness::dead, "a writer is taken for alive, and there is none");
}

// Until nobody else can do anything.
void RoleWorld::wait_a_while() {
  kernel_.pause_until(kernel_.now() + 1'000'000);
}

void RoleWorld::watch(std::size_t process) {
  const LatestBytesReader reader(domain(), kName, options(""));
  has(process);
  look_at_the_writer(reader);
  wait_a_while();
  look_at_the_writer(reader);
  lets_go(process);
}

void RoleWorld::count(std::size_t process) {
  const LatestBytesWriter writer(domain(), kName, setting_.payload_max, options(""));
  has(process);
  const auto look = [&] {
    const std::uint32_t joined = writer.readers_joined();  // one look: nobody comes between
    std::uint32_t there = 0;
    std::uint32_t have = 0;
    for (const auto& [other, stay] : stays_) {
      there += stay.writes ? 0 : 1;
      have += !stay.writes && stay.has ? 1 : 0;
    }
    require(joined >= have, "one that reads is not counted");
    require(joined <= there || somebody_died_, "more are counted than read");
  };
  look();
  wait_a_while();
  look();
  lets_go(process);
}

// Whoever waits as a member of the old table must not judge by it who lives in the new one.
void RoleWorld::replace_table(std::size_t process) {
  const auto write_for_a_while = [&] {
    const LatestBytesWriter writer(domain(), kName, setting_.payload_max, options(""));
    has(process);
    wait_a_while();
    lets_go(process);
  };
  table_was_replaced_ = true;
  stay(process, {.writes = true}, write_for_a_while);
  members_.erase(process);
  static_cast<void>(internal::remove_region(domain(), internal::kMembersName, Force::yes));
  const auto anew = Membership::of(domain());
  words_[process] = anew->word();
  stay(process, {.writes = true}, write_for_a_while);
}

// ---- ghosts

// By others than `process`, who live.
bool RoleWorld::is_taken(std::size_t process) const {
  const Stay& own = stays_.at(process);
  std::uint32_t readers = 0;
  for (const auto& [other, stay] : stays_) {
    if (other == process || stay.writes != own.writes) continue;
    if (stay.writes || (stay.is_named && own.is_named)) return true;
    ++readers;
  }
  return readers >= setting_.places;
}

// Among `belongings_`; none if the process has no role.
std::optional<std::uint32_t> RoleWorld::place_of(std::size_t process) const {
  const auto owns = [&](const auto& role) {
    return (role.owner.peek() & internal::kOwnerMask) == words_.at(process);
  };
  if (stays_.at(process).writes) {
    return owns(internal::writer_of(channel_->region())) ? std::optional(kPlacesMax) : std::nullopt;
  }
  for (std::uint32_t i = 0; i < setting_.places; ++i) {
    if (owns(channel_->bank().cells[i].role)) return i;
  }
  return std::nullopt;
}

void RoleWorld::has(std::size_t process) {
  const auto place = place_of(process);
  if (!place) fail("it was given the role, and another has it");
  if (testkit::explore::is_weak()) belongings_[*place].write(process);
  stays_[process].has = true;
}

void RoleWorld::lets_go(std::size_t process) {
  const auto place = place_of(process);
  if (!place) fail("another was given the role that it has");
  if (testkit::explore::is_weak()) belongings_[*place].write(process);
  stays_[process].has = false;
}

void RoleWorld::died(std::size_t process) {
  somebody_died_ = true;
  const auto stay = stays_.find(process);
  if (stay == stays_.end()) return;
  may_be_left_ = may_be_left_ || stay->second.is_named;
  if (stay->second.is_named && stay->second.holds != 0) left_ = stay->second.holds;
  stays_.erase(stay);
}

void RoleWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [process, stay] : stays_) {
    note(process * 4096 + stay.holds * 8 + stay.has * 4 + stay.is_named * 2 + stay.writes);
  }
  note(table_was_replaced_ * 2 + somebody_died_);
  note(left_ * 8192 + may_be_left_ * 4096 + published_ * 64 + comings_);
}

// ---- the books

void RoleWorld::require_nothing_left(bool may_be_vacant) const {
  const auto is_free = [&](std::uint64_t owner) {
    return owner == 0 || (may_be_vacant && owner == (internal::kRoleNamed | internal::kRoleVacant));
  };
  require(is_free(internal::writer_of(channel_->region()).owner.peek()),
          "at the end the writer's role is not free");
  const auto bank = channel_->bank();
  const LatestWords words = channel_->shape().words();
  std::uint64_t pinning = 0;
  for (std::uint32_t i = 0; i < setting_.places; ++i) {
    const std::uint64_t owner = bank.cells[i].role.owner.peek();
    const std::uint64_t claim = bank.cells[i].claim.peek();
    require(is_free(owner), "at the end a reader's role is not free");
    require(owner != 0 || claim == LatestWords::kIdle, "at the end a free place holds a value");
    require(claim == LatestWords::kIdle || words.slot_of(claim).has_value(),
            "at the end a place asks for a value");
    if (claim != LatestWords::kIdle) pinning |= std::uint64_t{1} << i;
  }
  require(bank.joined[0].peek() == pinning, "at the end the writer looks at places for nothing");
}

void RoleWorld::drop_names() {
  auto region = internal::MappedRegion::observe(domain(), kName);
  std::uint32_t dropped = 0;
  require(region && internal::drop_vacant_latest_roles(*region, dropped),
          "roles that nobody bears cannot be given up");
}

void RoleWorld::at_end() {
  static_cast<void>(Membership::of(domain())->reap_dead());
  require_nothing_left(true);
  drop_names();
  require_nothing_left(false);
}

}  // namespace kith::explored
