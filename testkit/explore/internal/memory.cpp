#include "testkit/explore/internal/memory.hpp"

#include <algorithm>
#include <stdexcept>

#include "testkit/explore/internal/hash.hpp"

namespace kith::testkit::explore::internal {
namespace {

// The set-up, before any process runs: it takes part in no view of its own.
constexpr std::size_t kSetUp = kProcessesMax;

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_consume ||
         order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

void join(View& into, const View& from) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::max(into[i], from[i]);
}

}  // namespace

void AddressTable::insert(const void* address, std::uint32_t index) {
  if ((count_ + 1) * 2 > entries_.size()) {
    std::vector<Entry> before(entries_.size() * 2);
    before.swap(entries_);
    count_ = 0;
    for (const Entry& entry : before) {
      if (entry.generation == generation_) insert(entry.address, entry.index);
    }
  }
  std::size_t at = start(address);
  while (entries_[at & (entries_.size() - 1)].generation == generation_ &&
         entries_[at & (entries_.size() - 1)].address != address) {
    ++at;
  }
  Entry& entry = entries_[at & (entries_.size() - 1)];
  if (entry.generation != generation_) ++count_;
  entry = {address, index, generation_};
}

void Memory::reset() {
  known_.clear();
  used_ = 0;
  values_ = 0;
  ranges_.clear();
  if (!weak_) return;
  tracks_.clear();
  processes_ = {};
  born_ = kernel_ = fences_ = {};
}

void Memory::give_tracks(Location& location) {
  // A payload's readers, each in a track of its own, follow its track.
  const std::size_t wanted = location.payload ? 1 + kProcessesMax : 1;
  if (tracks_.size() + wanted > kTracksMax) {
    throw std::length_error("the model has too many shared words for weak memory: at most " +
                            std::to_string(kTracksMax) + ", of a payload one for each process");
  }
  location.track = static_cast<std::uint32_t>(tracks_.size());
  for (std::size_t i = 0; i < wanted; ++i) tracks_.push_back(mixed(location.key, i));
  location.stores.push_back({location.value, {}});
}

Location& Memory::new_location(const void* address, std::uint64_t key, std::uint64_t value) {
  if (used_ == locations_.size()) locations_.emplace_back();
  Location& location = locations_[used_];
  location.key = key;
  location.track = kNoTrack;
  location.payload = false;
  location.value = value;
  location.oldest_ordered = 0;
  location.stores.clear();
  values_ += mixed(key, value);
  known_.insert(address, static_cast<std::uint32_t>(used_++));
  return location;
}

void Memory::add(const void* address, std::uint64_t value, bool payload) {
  new_location(address, mixed(1, used_), value).payload = payload;
}

void Memory::add_range(const void* begin, std::uint64_t size, std::uint64_t key) {
  ranges_.push_back({static_cast<const std::byte*>(begin), size, key});
}

Location& Memory::at(const void* address, std::uint64_t value) {
  const std::uint32_t found = known_.find(address);
  if (found != AddressTable::kNone) {
    Location& known = locations_[found];
    // Written past us, as by a call of the kernel.
    if (!weak_ && known.value != value) set(known, value);
    if (weak_ && known.track == kNoTrack) give_tracks(known);
    return known;
  }
  std::uint64_t key = mixed(2, used_);
  const auto* byte = static_cast<const std::byte*>(address);
  for (const Range& range : ranges_) {
    if (byte < range.begin || byte >= range.begin + range.size) continue;
    key = mixed(range.key, static_cast<std::uint64_t>(byte - range.begin));
  }
  Location& location = new_location(address, key, value);
  if (weak_) give_tracks(location);
  return location;
}

std::size_t Memory::readable(const Location& location, std::size_t process,
                             std::memory_order order) const {
  if (!weak_ || process == kSetUp) return 1;
  std::size_t oldest = processes_[process].seen[location.track];
  if (order == std::memory_order_seq_cst) {
    oldest = std::max<std::size_t>(oldest, location.oldest_ordered);
  }
  return location.stores.size() - oldest;
}

std::uint64_t Memory::peek(const Location& location, std::size_t older) const {
  return older == 0 ? location.value : location.stores[location.stores.size() - 1 - older].value;
}

void Memory::take(Location& location, std::size_t process, std::memory_order order,
                  std::size_t index) {
  if (process == kSetUp) return;
  Known& known = processes_[process];
  auto& seen = known.seen[location.track];
  seen = std::max(seen, static_cast<std::uint16_t>(index));
  const View& released = location.stores[index].released;
  join(known.acquired, released);
  if (acquires(order)) join(known.seen, released);
}

std::uint64_t Memory::load(Location& location, std::size_t process, std::memory_order order,
                           std::size_t older) {
  if (!weak_) return location.value;
  const std::size_t index = location.stores.size() - 1 - older;
  take(location, process, order, index);
  return location.stores[index].value;
}

void Memory::set(Location& location, std::uint64_t value) {
  values_ += mixed(location.key, value) - mixed(location.key, location.value);
  location.value = value;
}

void Memory::append(Location& location, std::size_t process, std::memory_order order,
                    std::uint64_t value, bool continues) {
  const auto index = static_cast<std::uint16_t>(location.stores.size());
  Store store;
  store.value = value;
  if (continues) store.released = location.stores.back().released;
  if (process == kSetUp) {
    born_[location.track] = index;
    join(store.released, born_);
  } else {
    Known& known = processes_[process];
    known.seen[location.track] = index;
    join(store.released, releases(order) ? known.seen : known.released);
    store.released[location.track] = index;
  }
  if (order == std::memory_order_seq_cst) location.oldest_ordered = index;
  location.stores.push_back(store);
}

void Memory::store(Location& location, std::size_t process, std::memory_order order,
                   std::uint64_t value) {
  set(location, value);
  if (weak_) append(location, process, order, value, false);
}

std::uint64_t Memory::exchange(Location& location, std::size_t process, std::memory_order order,
                               std::uint64_t value) {
  const std::uint64_t found = location.value;
  if (weak_) take(location, process, order, location.stores.size() - 1);
  set(location, value);
  // Whoever acquires from this one acquires from the store that it replaced as well.
  if (weak_) append(location, process, order, value, true);
  return found;
}

void Memory::fence(std::size_t process, std::memory_order order) {
  if (!weak_ || process == kSetUp) return;
  Known& known = processes_[process];
  if (acquires(order)) join(known.seen, known.acquired);
  if (order == std::memory_order_seq_cst) {
    join(known.seen, fences_);
    fences_ = known.seen;
  }
  if (releases(order)) known.released = known.seen;
}

void Memory::synchronize(std::size_t process) {
  if (!weak_ || process == kSetUp) return;
  Known& known = processes_[process];
  join(known.seen, kernel_);
  kernel_ = known.seen;
}

std::string Memory::read_payload(Location& location, std::size_t process) {
  if (!weak_ || process == kSetUp) return {};
  View& seen = processes_[process].seen;
  if (seen[location.track] + 1u != location.stores.size()) {
    return "a data race: it reads what another is writing";
  }
  ++seen[location.track + 1 + process];
  return {};
}

std::string Memory::write_payload(Location& location, std::size_t process, std::uint64_t value) {
  set(location, value);
  if (!weak_) return {};
  if (process != kSetUp) {
    const View& seen = processes_[process].seen;
    if (seen[location.track] + 1u != location.stores.size()) {
      return "a data race: it writes what another is writing";
    }
    for (std::size_t i = 0; i < kProcessesMax; ++i) {
      const std::size_t track = location.track + 1 + i;
      if (seen[track] < processes_[i].seen[track]) {
        return "a data race: it writes what another is reading";
      }
    }
  }
  append(location, process, std::memory_order_relaxed, value, false);
  return {};
}

void Memory::begin(std::size_t process) {
  // A successor knows what its predecessor knew: it learnt of the death through the kernel.
  join(processes_[process].seen, born_);
  processes_[process].alive = true;
}

void Memory::end(std::size_t process) {
  processes_[process].alive = false;
}

void Memory::forget_reads(std::size_t process) {
  if (!weak_) return;
  for (std::size_t i = 0; i < used_; ++i) {
    const Location& location = locations_[i];
    if (!location.payload || location.track == kNoTrack) continue;
    const std::size_t track = location.track + 1 + process;
    for (Known& known : processes_) known.seen[track] = processes_[process].seen[track];
  }
}

std::uint64_t Memory::state_of(const View& view, const View& base) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (view[i] > base[i]) {
      sum += mixed(tracks_[i], static_cast<std::uint64_t>(view[i] - base[i]));
    }
  }
  return sum;
}

// Stores that nobody may read any more are left out, and what is left is counted from there: so
// two histories that can only go on alike are one state.
std::uint64_t Memory::state() const {
  if (!weak_) return values_;
  View base;
  base.fill(0xFFFF);
  bool anybody = false;
  for (const Known& known : processes_) {
    if (!known.alive) continue;
    anybody = true;
    for (std::size_t i = 0; i < tracks_.size(); ++i) base[i] = std::min(base[i], known.seen[i]);
  }
  if (!anybody) return values_;
  std::uint64_t sum = values_;
  for (std::size_t at = 0; at < used_; ++at) {
    const Location& location = locations_[at];
    if (location.track == kNoTrack) continue;
    const std::size_t first = base[location.track];
    const std::size_t count = location.stores.size() - first;
    std::uint64_t hash = mixed(location.key, count);
    hash = mixed(hash, location.oldest_ordered > first ? location.oldest_ordered - first : 0);
    for (std::size_t i = first; !location.payload && i < location.stores.size(); ++i) {
      hash = mixed(hash, location.stores[i].value);
      hash = mixed(hash, state_of(location.stores[i].released, base));
    }
    sum += hash;
  }
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const Known& known = processes_[i];
    std::uint64_t hash = mixed(i, known.alive);
    hash = mixed(hash, state_of(known.seen, base));
    if (known.alive) {
      hash = mixed(hash, state_of(known.acquired, base));
      hash = mixed(hash, state_of(known.released, base));
    }
    sum += hash;
  }
  return mixed(mixed(sum, state_of(kernel_, base)), state_of(fences_, base));
}

}  // namespace kith::testkit::explore::internal
