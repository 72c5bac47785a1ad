#include "tests/explore/guest_world.hpp"

#include <cstring>

#include "kith/base/error.hpp"

namespace kith::explored {

using internal::LatestGuest;
using internal::LatestReaderCore;
using internal::LatestRequest;
using internal::LatestSlot;
using testkit::explore::fail;
using testkit::explore::Kernel;
using testkit::explore::require;

namespace {

constexpr const char* kName = "x";
constexpr std::size_t kModel = testkit::explore::kProcessesMax;
constexpr std::size_t kWriter = 0;  // or who removes the channel
constexpr std::size_t kFirst = 1;   // of the guests

LatestRequest request() {
  LatestRequest request;
  request.name = kName;
  return request;
}

void require_whole(const LatestSlot& slot, std::uint64_t number) {
  std::uint64_t found = 0;
  std::memcpy(&found, payload_of(slot), sizeof found);
  require(slot.sequence == number && found == number, "what a guest holds has changed");
}

}  // namespace

GuestWorld::GuestWorld(const GuestSetting& setting) : setting_(setting) {
  kernel_.make_directory("/d");
  kernel_.set_up_as(kWriter);
  writer_.emplace(domain(), kName, sizeof(std::uint64_t), options());
  writes_ = true;
  write(*writer_, 2);
  if (setting.removal) {
    add_remover();
  } else {
    add_writer();
  }
  for (std::size_t i = 0; i < setting.guests.size(); ++i) {
    const Work work = [this, i] { visit(1 + i, setting_.guests[i]); };
    process("guest " + std::to_string(i), work, work);
  }
  if (setting.is_seated) seat_the_first();
  kernel_.set_up_as(kModel);
  kernel_.let_fork(setting.forks);
}

void GuestWorld::add_writer() {
  process(
      "writer",
      [this] {
        write(*writer_, 4);
        writes_ = false;
        writer_.reset();
      },
      [this] {
        LatestBytesWriter again(domain(), kName, sizeof(std::uint64_t), options());
        writes_ = true;
        require(again.sequence() >= published_, "it does not go on where the last writer ended");
        write(again, 5);
        writes_ = false;
      });
}

void GuestWorld::add_remover() {
  writes_ = false;
  writer_.reset();
  const Work work = [this] { remove(); };
  process("remover", work, work);
}

void GuestWorld::seat_the_first() {
  kernel_.set_up_as(kFirst);
  seated_ = LatestGuest::open(domain(), request());
  if (!seated_) fail("there is no channel for guests");
  stays_[kFirst].is_named = !setting_.guests.front().empty();
  stays_[kFirst].has_channel = true;
  claim(kFirst, setting_.guests.front(), *seated_);
}

GuestWorld::~GuestWorld() {
  kernel_.set_up_as(kFirst);
  seated_.reset();
  kernel_.set_up_as(kWriter);
  writer_.reset();
  kernel_.set_up_as(kModel);
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain GuestWorld::domain() {
  DomainOptions options;
  options.members_max = 4;
  return Domain::at("/as/" + std::to_string(Kernel::current().process_number()) + "/d", options);
}

LatestOptions GuestWorld::options() const {
  LatestOptions options;
  options.readers_max = 1;
  options.guests_max = setting_.seats;
  options.rights.mode = 0640;
  return options;
}

void GuestWorld::write(LatestBytesWriter& writer, std::uint64_t last) {
  while (writer.sequence() < last) {
    const std::uint64_t number = writer.sequence() + 1;
    require(writer.write(std::as_bytes(std::span(&number, 1))) == WriteAnswer::committed,
            "guests kept the writer from a slot");
    published_ = number;
  }
}

void GuestWorld::remove() {
  const bool was_gone = is_gone();
  const bool was_idle = stays_.empty();
  const std::uint64_t comings = comings_;
  ++removals_;
  removes_ = true;
  const Removal removal = internal::remove_region(domain(), kName, *setting_.removal);
  removes_ = false;
  require(is_gone() == (removal != Removal::in_use), "it is not so that the channel was removed");
  require(was_gone == (removal == Removal::not_found), "who removed the channel is not told");
  if (may_be_taken_away()) {
    require(is_gone(), "removed by force, the channel is there");
    return;
  }
  for (const auto& [guest, stay] : stays_) {
    require(!is_gone() || !stay.has_channel, "a channel was removed that a guest has open");
  }
  const bool nobody_came = was_idle && comings == comings_ && !kernel_.has_children();
  require(is_gone() || !nobody_came, "a channel that nobody has is kept");
}

// ---- guests

void GuestWorld::visit(std::size_t process, const std::string& role) {
  ++comings_;
  const bool is_seated = seated_ && process == kFirst && stays_.contains(process);
  if (!is_seated) stays_[process] = Stay();
  stays_[process].is_named = !role.empty();
  const bool was_taken = is_taken(process);
  const std::uint64_t before = comings_;
  try {
    if (is_seated) {
      read(process, *seated_);
      leave(process, *seated_);
      seated_.reset();
    } else {
      open(process, role);
    }
  } catch (const Error& error) {
    const bool refused = error.errc() == Errc::role_taken || error.errc() == Errc::table_full;
    const bool lost = error.errc() == Errc::orphaned && may_be_taken_away() && is_gone();
    if (!refused && !lost) fail(std::string("threw ") + error.what());
    require(lost || was_taken || comings_ != before,
            "it was refused a seat that nobody has who lives");
  }
  stays_.erase(process);
}

void GuestWorld::open(std::size_t process, const std::string& role) {
  const bool was_removed = removes_ || is_gone();
  const std::uint64_t removals = removals_;
  stays_[process].knew = removals * 2 + was_removed;
  const auto guest = LatestGuest::open(domain(), request());
  if (!guest) {
    require(was_removed || removals != removals_, "there is no channel for guests");
    return;
  }
  stays_[process].has_channel = true;
  try {
    claim(process, role, *guest);
  } catch (const Error&) {
    stays_[process].has_channel = false;
    throw;
  }
  read(process, *guest);
  leave(process, *guest);
}

void GuestWorld::leave(std::size_t process, LatestGuest& guest) {
  const std::uint32_t seat = stays_[process].seat.value();
  stays_[process].seat.reset();
  guest.release_reader(seat, false);
  look_at_the_name(process, guest);
  stays_[process].has_channel = false;
}

void GuestWorld::claim(std::size_t process, const std::string& role, LatestGuest& guest) {
  const auto claimed = guest.claim_reader(role, Deadline::now());
  for (const auto& [other, stay] : stays_) {
    require(stay.seat != claimed.index, "two living guests have one seat");
  }
  stays_[process].seat = claimed.index;
  stays_[process].inherits = claimed.inherited;
}

void GuestWorld::read(std::size_t process, LatestGuest& guest) {
  const Stay& own = stays_[process];
  LatestReaderCore<RealAtomics> core(guest.newest(), guest.bank(), own.seat.value(),
                                     guest.shape().words());
  core.join();
  std::uint64_t pinned = own.inherits ? core.recover() : 0;
  if (own.is_named) {
    const auto slot = core.words().slot_of(pinned);
    require(left_ == 0 || (slot && guest.slots().at(*slot).sequence == left_),
            "what the last of its name held is lost");
    left_ = 0;
  }
  look_at_the_writer(process, guest);
  if (pinned != 0) hold(process, guest, pinned);
  pinned = core.acquire(pinned);
  hold(process, guest, pinned);
  core.release();
}

void GuestWorld::hold(std::size_t process, const LatestGuest& guest, std::uint64_t word) {
  const auto index = guest.shape().words().slot_of(word);
  if (!index) fail("a guest was given no value");
  const LatestSlot& slot = guest.slots().at(*index);
  const std::uint64_t number = slot.sequence;
  require(guest.shape().words().tags(word, number), "a guest was given another value than told");
  stays_[process].holds = number;
  testkit::explore::act();  // its user has the value
  require_whole(slot, number);
  static_cast<void>(guest.newest().load(std::memory_order_relaxed));  // a while goes by
  require_whole(slot, number);
  const auto& cell = guest.bank().cells[stays_[process].seat.value()];
  require(internal::has_owner(cell.role.owner.peek()), "a living guest's seat was given away");
  stays_[process].holds = 0;
}

void GuestWorld::look_at_the_name(std::size_t process, const LatestGuest& guest) {
  const bool was_gone = is_gone();
  stays_[process].knew = was_gone;
  require(may_be_taken_away() || !was_gone, "a channel that a guest has open lost its name");
  const bool orphaned = guest.is_orphaned();
  require(orphaned || !was_gone, "a channel that is gone is said to be there");
  require(!orphaned || is_gone(), "a channel that is there is said to be gone");
}

void GuestWorld::look_at_the_writer(std::size_t process, const LatestGuest& guest) {
  const bool wrote = writes_;
  stays_[process].knew = wrote;
  const Liveness answer = guest.writer_liveness();
  if (somebody_died_ || wrote != writes_) return;
  require(!wrote || answer == Liveness::alive, "a living writer is taken for dead");
}

bool GuestWorld::is_taken(std::size_t process) const {
  for (const auto& [other, stay] : stays_) {
    if (other != process && stay.is_named && stays_.at(process).is_named) return true;
  }
  return stays_.size() > setting_.seats;
}

bool GuestWorld::is_gone() const {
  return kernel_.file_at("/d", kName).inode == 0;
}

void GuestWorld::died(std::size_t process) {
  somebody_died_ = true;
  if (process == kWriter) writes_ = removes_ = false;
  const auto stay = stays_.find(process);
  if (stay == stays_.end()) return;
  if (stay->second.is_named && stay->second.holds != 0) left_ = stay->second.holds;
  stays_.erase(stay);
}

void GuestWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [process, stay] : stays_) {
    note(process * 4096 + stay.holds * 64 + stay.seat.value_or(7) * 2 + stay.is_named);
    note(stay.knew * 2 + stay.has_channel);
  }
  note(removals_ * 2 + removes_);
  note(published_ * 4096 + left_ * 64 + comings_ * 4 + writes_ * 2 + somebody_died_);
}

// ---- the books

void GuestWorld::at_end() {
  // A child uses what it was born with, and holds nothing else.
  require(kernel_.locks_held_but_shared(internal::RegionLock::kUse) == 0, "a child keeps a lock");
  require(kernel_.locks_in_children() == 0, "a child keeps a channel in use that it has not");
  settle_accounts();
  kernel_.end_children();
  require(kernel_.locks_held() == 0, "at the end a lock is left");
}

void GuestWorld::settle_accounts() {
  // Whoever opens the channel gives back what dead guests held.
  const bool was_gone = is_gone();
  {
    LatestBytesWriter last(domain(), kName, sizeof(std::uint64_t), options());
    require(was_gone || last.sequence() >= published_, "at the end a value is lost");
    write(last, last.sequence() + 2);
  }
  // The members' table, and the channel's three files.
  require(kernel_.names_in("/d").size() == 4, "at the end files of a removed channel are left");
  const auto guest = LatestGuest::open(domain(), request());
  if (!guest) fail("at the end there is no channel for guests");
  std::uint64_t pinning = 0;
  for (std::uint32_t i = 0; i < setting_.seats; ++i) {
    const std::uint64_t owner = guest->bank().cells[i].role.owner.peek();
    const std::uint64_t claim = guest->bank().cells[i].claim.peek();
    require(!internal::has_owner(owner), "at the end a dead guest has a seat");
    require(owner != 0 || claim == 0, "at the end a free seat holds a value");
    if (claim != 0) pinning |= std::uint64_t{1} << i;
  }
  require(guest->writer_liveness() == Liveness::dead, "at the end a dead writer is taken to live");
  require(guest->bank().joined[0].peek() == pinning, "at the end the writer looks at empty seats");
}

}  // namespace kith::explored
