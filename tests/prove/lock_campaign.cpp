#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/sync/mutex.hpp"

#include "testkit/process.hpp"
#include "tests/prove/campaign.hpp"
#include "tests/prove/world.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;

// In which whoever waits must have been served, once nobody is killed or stopped any more.
constexpr auto kPatience = 60s;

// What the processes share. relaxed everywhere: what is guarded is ordered by the mutex, which is
// what is being tried, and the counters are read when all is over.
struct Books {
  // Guarded: always the same number twice, and its checksum.
  std::atomic<std::uint64_t> first;
  std::atomic<std::uint64_t> second;
  std::atomic<std::uint64_t> checksum;
  std::atomic<std::uint64_t> inside;  // who is in; 0: nobody

  std::atomic<std::uint64_t> turns;
  std::atomic<std::uint64_t> told;
  std::atomic<std::uint64_t> timed_out;
  std::atomic<std::uint64_t> two_in;
  std::atomic<std::uint64_t> torn;
  std::atomic<std::uint64_t> refused;
  std::atomic<bool> over;
};

void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}
std::uint64_t number(const std::atomic<std::uint64_t>& word) {
  return word.load(std::memory_order_relaxed);
}

std::uint64_t checksum_of(std::uint64_t number) {
  return (number + 1) * 0x9e37'79b9'7f4a'7c15;
}
bool is_whole(const Books& books) {
  return number(books.second) == number(books.first) &&
         number(books.checksum) == checksum_of(number(books.first));
}

// Long enough for a kill or a stop to find somebody in here.
void linger(std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

void make_whole(Books& books, std::uint64_t rounds) {
  const std::uint64_t first = number(books.first);
  linger(rounds);
  books.second.store(first, std::memory_order_relaxed);
  linger(rounds);
  books.checksum.store(checksum_of(first), std::memory_order_relaxed);
}

// With the mutex held. `me` is of this process alone, also among those that come in its place.
void take_turn(Mutex& mutex, bool told, std::uint64_t me, std::uint64_t rounds, Books& books) {
  const std::uint64_t before = books.inside.exchange(me, std::memory_order_relaxed);
  if (told) {
    count(books.told);
    make_whole(books, rounds);
    if (mutex.declare_consistent() != LockAnswer::owner_died) count(books.refused);
  } else {
    if (before != 0) count(books.two_in);  // or its death was kept from us
    if (!is_whole(books)) count(books.torn);
  }
  count(books.first);
  make_whole(books, rounds);
  count(books.turns);
  // Whoever came in beside us, or in our place while we were stopped, has left its mark.
  std::uint64_t mine = me;
  if (!books.inside.compare_exchange_strong(mine, 0, std::memory_order_relaxed)) {
    count(books.two_in);
  }
  if (mutex.release() != LockAnswer::released) count(books.refused);
}

Deadline some_deadline(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return Deadline::now();
    case 1:
      return Deadline::after(std::chrono::microseconds(random() % 3000));
    case 2:
      return Deadline::after(5s);
    default:
      return Deadline::never();
  }
}

std::string take_turns(const World& world, std::uint64_t me, Books& books) {
  std::mt19937_64 random(me);
  Mutex mutex(world.domain(), "lock");
  while (!books.over.load(std::memory_order_relaxed)) {
    const LockAnswer answer = mutex.acquire(some_deadline(random));
    if (holds(answer)) {
      take_turn(mutex, answer == LockAnswer::owner_died, me, random() % 2000, books);
    } else if (answer == LockAnswer::timed_out) {
      count(books.timed_out);
    } else {
      return "acquire answered " + std::string(to_string(answer));
    }
  }
  return {};
}

class Crew {
 public:
  Crew(const World& world, std::uint32_t processes, Books& books) : world_(world), books_(&books) {
    names_.resize(processes);
    for (std::uint32_t i = 0; i < processes; ++i) crew_.push_back(next(i));
  }

  // One deed: a kill, a stop, or a resumption.
  void torment(std::mt19937_64& random) {
    const std::size_t which = victim(random);
    if (random() % 4 != 0) {
      (void)crew_[which].kill();
      ++kills_;
      std::erase(stopped_, which);
      crew_[which] = next(which);
    } else if (std::find(stopped_.begin(), stopped_.end(), which) != stopped_.end()) {
      resume(which);
    } else if (crew_[which].stop()) {
      ++stops_;
      stopped_.push_back(which);
    }
    // Never so many that nobody is left to come to the mutex.
    if (stopped_.size() > crew_.size() / 4) resume(stopped_.front());
  }
  // Nobody is killed any more; "" if all come home by themselves.
  std::string come_home() {
    while (!stopped_.empty()) resume(stopped_.front());
    books_->over.store(true, std::memory_order_relaxed);
    return testkit::verdict(crew_, testkit::within(kPatience));
  }

  [[nodiscard]] std::uint64_t kills() const { return kills_; }
  [[nodiscard]] std::uint64_t stops() const { return stops_; }

 private:
  // Every second time whoever is in just now, as far as one can tell.
  std::size_t victim(std::mt19937_64& random) const {
    const auto inside = std::find(names_.begin(), names_.end(), number(books_->inside));
    const auto any = static_cast<std::size_t>(random() % crew_.size());
    if (random() % 2 == 0 || inside == names_.end()) return any;
    return static_cast<std::size_t>(inside - names_.begin());
  }
  Process next(std::size_t which) {
    const std::uint64_t me = names_[which] = ++born_;
    return Process::fork("number " + std::to_string(me),
                         [world = world_, me, books = books_](Mouth&) -> std::string {
                           return take_turns(world, me, *books);
                         });
  }
  void resume(std::size_t which) {
    crew_[which].resume();
    std::erase(stopped_, which);
  }

  World world_;
  Books* books_;
  std::vector<Process> crew_;
  std::vector<std::uint64_t> names_;  // of each of them, as it stands in the books
  std::vector<std::size_t> stopped_;
  std::uint64_t born_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t stops_ = 0;
};

std::string plural(std::uint64_t count, const char* what) {
  return std::string(what) + " " + std::to_string(count);
}

void judge(CampaignResult& result, const Books& books, const Crew& crew, bool hung,
           const std::string& leak) {
  const std::uint64_t turns = number(books.turns);
  const std::uint64_t changes = number(books.first);
  // Of each kill at most one change is not counted as a turn.
  const bool lost = changes < turns || changes > turns + crew.kills();
  result.tried = crew.kills() + crew.stops();
  result.failed = number(books.two_in) + number(books.torn) + number(books.refused) +
                  (lost ? 1 : 0) + (hung ? 1 : 0) + (leak.empty() ? 0 : 1);
  result.detail = plural(crew.kills(), "kills") + plural(crew.stops(), ", stops") +
                  plural(turns, ", turns") + plural(number(books.told), ", told of a death") +
                  plural(number(books.timed_out), ", timed out") +
                  plural(number(books.two_in), ", two in") +
                  plural(number(books.torn), ", torn and not told") +
                  plural(number(books.refused), ", refused") + plural(lost, ", changes lost") +
                  plural(hung, ", hung") + plural(!leak.empty(), ", leaked");
  if (turns == 0 || number(books.told) == 0) result.broken = "nobody took a turn, or died in one";
}

}  // namespace

CampaignResult run_lock_campaign(const std::string& domain, std::uint32_t processes,
                                 std::uint32_t seconds) {
  CampaignResult result;
  result.subject = std::string(kLockCampaign) + ", " + std::to_string(processes) + " processes, " +
                   std::to_string(seconds) + " s";
  const World world(domain);
  void* memory =
      ::mmap(nullptr, sizeof(Books), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory to share");
  auto& books = *new (memory) Books{};
  books.checksum = checksum_of(0);
  std::mt19937_64 random(std::random_device{}());
  Crew crew(world, processes, books);
  const Deadline end = Deadline::after(std::chrono::seconds(seconds));
  while (!end.has_passed()) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 12'000));
    crew.torment(random);
  }
  const std::string not_home = crew.come_home();
  std::string leak;
  try {
    leak = world.nothing_is_left();
  } catch (const Error& error) {
    leak = error.what();
  }
  judge(result, books, crew, !not_home.empty(), leak);
  if (!not_home.empty() || !leak.empty()) result.detail += "; " + not_home + " " + leak;
  world.subject("").clean_up();
  ::munmap(memory, sizeof(Books));
  return result;
}

}  // namespace kith::prove
