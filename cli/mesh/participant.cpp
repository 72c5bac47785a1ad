#include "cli/mesh/participant.hpp"

#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <sys/prctl.h>
#include <utility>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/member/member.hpp"

#include "cli/mesh/control.hpp"
#include "cli/mesh/payload.hpp"
#include "cli/mesh/peer.hpp"
#include "cli/mesh/say.hpp"
#include "cli/mesh/watch.hpp"
#include "cli/place.hpp"

namespace kith::mesh {
namespace {

using namespace std::chrono_literals;

// Up to so many others are read in every round, all of them and in order; of more, so many by
// chance.
constexpr std::uint32_t kReadsPerRound = 9;

// In meshes of this size every process opens all channels before it begins. In larger ones it
// opens a channel when it first reads it: a thousand times a thousand openings would take minutes,
// because the kernel searches a channel's locks, of which every reader holds one, anew with each
// of them.
constexpr std::uint32_t kOpenAllMax = 64;

LatestOptions writer_options(const Options& options) {
  LatestOptions latest;
  latest.readers_max = options.processes - 1;
  latest.lifetime = Lifetime::until_last_member;
  latest.deadline = Deadline::after(options.role_patience());
  return latest;
}

ControlRegion attach(const Domain& domain, const Options& options) {
  return options.supervisor != 0 ? join_control(domain, options) : share_control(domain, options);
}

class Participant {
 public:
  explicit Participant(const Options& options)
      : options_(options),
        self_(*options.only),
        domain_(options.place()),
        member_(Member::join(domain_)),
        control_(attach(domain_, options)),
        watch_(options_, control_),
        books_(control_->cells[self_]),
        writer_(std::in_place, domain_, channel_name(self_), options.size, writer_options(options)),
        peers_(options.processes) {}

  void run() {
    set_none_opened(books_);
    recall();
    auto end = open_peers();
    if (!end) end = work();
    if (end == End::parking) {
      park();
      watch_.wait_for_closing();
    }
    close();
    if (options_.supervisor == 0) say_tallies();
  }

 private:
  // What an earlier life wrote last.
  void recall() {
    const auto last = writer_->last();
    if (last.empty()) return;
    const PayloadSeen seen = look_at_payload(last, self_);
    // relaxed: written by this process's own earlier life.
    const std::uint64_t committed = books_.last_written.load(std::memory_order_relaxed);
    count_ = writer_->sequence();
    if (!seen.whole || seen.count != count_) {
      add_one(books_.torn);
      say("{}: TORN: its own last value", self_);
    } else if (count_ < committed) {
      add_one(books_.backwards);
      say("{}: BACKWARDS: wrote {}, finds {}", self_, committed, count_);
    }
  }

  Peer& peer(std::uint32_t other) {
    auto& place = peers_[other];
    if (!place) {
      place = std::make_unique<Peer>(domain_, options_, self_, other, books_);
      set_opened(books_, other);
    }
    return *place;
  }

  // Beginning with the next one, so that processes that start together do not all stand before the
  // same channel.
  std::optional<End> open_peers() {
    const std::uint32_t count = options_.processes <= kOpenAllMax ? options_.processes : 1;
    for (std::uint32_t step = 1; step < count; ++step) {
      static_cast<void>(peer((self_ + step) % options_.processes));
      if (const auto end = watch_.look()) return end;
    }
    books_.has_been_up.store(1, std::memory_order_relaxed);
    set_state(books_, State::up);
    return std::nullopt;
  }

  void park() {
    for (const auto& opened : peers_) {
      if (opened) opened->let_go();
    }
    set_state(books_, State::parked);
  }

  // A killed supervisor can remove nothing any more: the last of its processes to end takes along
  // what is left, its own channels by closing them, those of killed neighbours by name. Nothing
  // here touches what the living use.
  void close() {
    peers_.clear();
    writer_.reset();
    if (options_.supervisor == 0 || !control_.is_orphaned()) return;
    if (remove_object(domain_, kControlName) == Removal::in_use) return;  // the next run's
    for (std::uint32_t step = 1; step < options_.processes; ++step) {
      const std::uint32_t neighbour = (self_ + step) % options_.processes;
      if (remove_object(domain_, channel_name(neighbour)) == Removal::in_use) return;
    }
  }

  std::optional<End> work() {
    bool ready = all_have_been_up();
    if (ready) say_ready();
    round();
    while (!ready) {
      if (const auto end = watch_.pause(2ms + options_.processes * 100us)) return end;
      ready = all_have_been_up();
      if (ready) say_ready();
    }
    for (;;) {
      if (const auto end = watch_.pause(random_pause())) return end;
      round();
    }
  }

  // Looks only at those not seen up before.
  bool all_have_been_up() {
    const auto& cells = control_->cells;
    while (seen_up_ < options_.processes &&
           cells[seen_up_].has_been_up.load(std::memory_order_relaxed) != 0) {
      ++seen_up_;
    }
    return seen_up_ == options_.processes;
  }

  void round() {
    const std::uint32_t others = options_.processes - 1;
    if (others <= kReadsPerRound) {
      for (std::uint32_t other = 0; other < options_.processes; ++other) {
        if (other != self_) peer(other).read();
      }
    } else {
      std::uniform_int_distribution<std::uint32_t> any(1, others);
      for (std::uint32_t i = 0; i < kReadsPerRound; ++i) {
        peer((self_ + any(random_)) % options_.processes).read();
      }
    }
    write();
  }

  void write() {
    DraftBytes draft = writer_->draft();
    if (!draft) throw std::runtime_error(fmt::format("process {} may not write", self_));
    fill_payload(draft.bytes(), self_, count_ + 1);
    if (draft.commit() != WriteAnswer::committed) {
      throw std::runtime_error(fmt::format("process {} cannot commit", self_));
    }
    ++count_;
    books_.last_written.store(count_, std::memory_order_relaxed);
    add_one(books_.writes);
    if (!options_.quiet) say("{}: write {}", self_, count_);
  }

  std::chrono::microseconds random_pause() {
    using Microseconds = std::chrono::microseconds;
    std::uniform_int_distribution<std::int64_t> any(Microseconds(options_.pause.shortest).count(),
                                                    Microseconds(options_.pause.longest).count());
    return Microseconds(any(random_));
  }

  void say_ready() const { say("{}: ready", self_); }

  void say_tallies() const {
    const auto of = [](const auto& tally) { return tally.load(std::memory_order_relaxed); };
    say("mesh: process {}: writes {}, reads {}, torn reads {}, went backwards {}", self_,
        of(books_.writes), of(books_.reads), of(books_.torn), of(books_.backwards));
  }

  // In the order of their making; they end the other way round, so that this process stays a member
  // until all else is closed, and the last one to leave finds an empty domain.
  const Options options_;
  const std::uint32_t self_;
  const Domain domain_;
  const Member member_;
  ControlRegion control_;
  Watch watch_;
  Cell& books_;
  std::optional<LatestBytesWriter> writer_;
  std::vector<std::unique_ptr<Peer>> peers_;  // by process; only those opened
  std::uint64_t count_ = 0;                   // of the last value written
  std::uint32_t seen_up_ = 0;                 // all before this one have been up
  std::minstd_rand random_{std::random_device{}()};
};

// How this process is called in `ps` and where it holds something that another one wants.
void name_process(std::uint32_t self) {
  ::prctl(PR_SET_NAME, fmt::format("kith mesh {}", self).c_str());
}

}  // namespace

int run_participant(const Options& options) {
  name_process(*options.only);
  try {
    Participant(options).run();
  } catch (const Error& error) {
    // Killed before this process had come so far; there is nobody to tell.
    const bool abandoned = options.supervisor != 0 && error.errc() == Errc::not_found;
    if (!abandoned) throw;
  }
  return cli::kFine;
}

}  // namespace kith::mesh
