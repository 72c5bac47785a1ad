#include "cli/mesh/books.hpp"

#include "kith/inspect/inspect.hpp"

#include "cli/documents.hpp"
#include "cli/mesh/say.hpp"

namespace kith::mesh {
namespace {

std::uint64_t more_than(std::uint64_t found, std::uint64_t allowed) {
  return found > allowed ? found - allowed : 0;
}

}  // namespace

Books sum_up(const Control& control, std::uint32_t processes) {
  // relaxed: their writers have parked or are dead.
  const auto value = [](const std::atomic<std::uint64_t>& tally) {
    return tally.load(std::memory_order_relaxed);
  };
  Books books;
  for (std::uint32_t i = 0; i < processes; ++i) {
    const Cell& cell = control.cells[i];
    books.writes += value(cell.writes);
    books.reads += value(cell.reads);
    books.torn += value(cell.torn);
    books.backwards += value(cell.backwards);
  }
  return books;
}

std::uint64_t count_leaked_slots(const Domain& domain, const Control& control,
                                 const std::vector<bool>& runs) {
  std::uint64_t leaked = 0;
  for (std::uint32_t channel = 0; channel < runs.size(); ++channel) {
    const auto facts = latest_facts(domain, channel_name(channel));
    if (!facts) continue;
    std::uint64_t may_pin = 0;
    for (std::uint32_t i = 0; i < runs.size(); ++i) {
      const bool has_let_go = runs[i] && has_opened(control.cells[i], channel);
      if (i != channel && !has_let_go) ++may_pin;
    }
    leaked += facts->pinned_by_nobody;
    leaked += more_than(facts->pinned_held + facts->pinned_vacant, may_pin);
    // Every process has one role; more would be a role that nobody gives back.
    leaked += more_than(facts->readers_held + facts->readers_vacant, runs.size() - 1);
  }
  return leaked;
}

void say_books(const Books& books, std::uint32_t processes, double seconds) {
  say("mesh: {} processes, {:.1f} s", processes, seconds);
  say("mesh: kills {}, restarts {}, writes {}, reads {}, torn reads {}, went backwards {}, "
      "slots leaked {}",
      books.kills, books.restarts, books.writes, books.reads, books.torn, books.backwards,
      books.leaked);
}

void print_books(const Books& books, std::uint32_t processes, double seconds,
                 std::uint64_t failures, bool fine) {
  cli::Json document = cli::document_of("mesh");
  document["processes"] = processes;
  document["seconds"] = seconds;
  document["kills"] = books.kills;
  document["restarts"] = books.restarts;
  document["writes"] = books.writes;
  document["reads"] = books.reads;
  document["torn_reads"] = books.torn;
  document["went_backwards"] = books.backwards;
  document["slots_leaked"] = books.leaked;
  document["failures"] = failures;
  document["fine"] = fine;
  cli::Output(cli::CommonOptions{.domain = {}, .json = true}).document(document);
}

}  // namespace kith::mesh
