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
constexpr std::size_t kWriter = 0;

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
  for (std::size_t i = 0; i < setting.guests.size(); ++i) {
    const Work work = [this, i] { visit(1 + i, setting_.guests[i]); };
    process("guest " + std::to_string(i), work, work);
  }
  kernel_.set_up_as(kModel);
  kernel_.let_fork(setting.forks);
}

GuestWorld::~GuestWorld() {
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

// ---- guests

void GuestWorld::visit(std::size_t process, const std::string& role) {
  ++comings_;
  stays_[process] = Stay();
  stays_[process].is_named = !role.empty();
  const bool was_taken = is_taken(process);
  const std::uint64_t before = comings_;
  try {
    read(process, role);
  } catch (const Error& error) {
    const bool refused = error.errc() == Errc::role_taken || error.errc() == Errc::table_full;
    if (!refused) fail(std::string("threw ") + error.what());
    require(was_taken || comings_ != before, "it was refused a seat that nobody has who lives");
  }
  stays_.erase(process);
}

void GuestWorld::read(std::size_t process, const std::string& role) {
  LatestRequest request;
  request.name = kName;
  const auto guest = LatestGuest::open(domain(), request);
  if (!guest) fail("there is no channel for guests");
  const auto claimed = guest->claim_reader(role, Deadline::now());
  for (const auto& [other, stay] : stays_) {
    require(stay.seat != claimed.index, "two living guests have one seat");
  }
  Stay& own = stays_[process];
  own.seat = claimed.index;
  LatestReaderCore<RealAtomics> core(guest->newest(), guest->bank(), claimed.index,
                                     guest->shape().words());
  core.join();
  std::uint64_t pinned = claimed.inherited ? core.recover() : 0;
  if (own.is_named) {
    const auto slot = core.words().slot_of(pinned);
    require(left_ == 0 || (slot && guest->slots().at(*slot).sequence == left_),
            "what the last of its name held is lost");
    left_ = 0;
  }
  look_at_the_writer(*guest);
  if (pinned != 0) hold(process, *guest, pinned);
  pinned = core.acquire(pinned);
  hold(process, *guest, pinned);
  core.release();
  own.seat.reset();
  guest->release_reader(claimed.index, false);
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
  stays_[process].holds = 0;
}

void GuestWorld::look_at_the_writer(const LatestGuest& guest) const {
  const bool wrote = writes_;
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

void GuestWorld::died(std::size_t process) {
  somebody_died_ = true;
  if (process == kWriter) writes_ = false;
  const auto stay = stays_.find(process);
  if (stay == stays_.end()) return;
  if (stay->second.is_named && stay->second.holds != 0) left_ = stay->second.holds;
  stays_.erase(stay);
}

void GuestWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [process, stay] : stays_) {
    note(process * 4096 + stay.holds * 64 + stay.seat.value_or(7) * 2 + stay.is_named);
  }
  note(published_ * 4096 + left_ * 64 + comings_ * 4 + writes_ * 2 + somebody_died_);
}

// ---- the books

void GuestWorld::at_end() {
  // Whoever opens the channel gives back what dead guests held.
  {
    LatestBytesWriter last(domain(), kName, sizeof(std::uint64_t), options());
    require(last.sequence() >= published_, "at the end a value is lost");
    write(last, last.sequence() + 2);
  }
  LatestRequest request;
  request.name = kName;
  const auto guest = LatestGuest::open(domain(), request);
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
