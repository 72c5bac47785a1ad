// What the explorer takes for one state must be one. Of each mutant of the latest value's core, and
// of the core as it ships, small models are searched twice: by states, and run by run without any.
// The verdicts must be the same.
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "testkit/explore/explore.hpp"
#include "testkit/explore/mutation.hpp"
#include "tests/explore/latest_world.hpp"

namespace kith::explored {
namespace {

using testkit::explore::Bounds;
using testkit::explore::explore;
using testkit::explore::Memory;
using testkit::explore::Mutant;
using testkit::explore::mutants_of;
using testkit::explore::Mutated;
using testkit::explore::Result;

struct Model {
  std::string name;
  LatestSetting setting;
  Bounds bounds;
};

Bounds within(std::uint32_t preemptions, std::uint32_t deaths, Memory memory,
              std::uint32_t stale_reads = 0) {
  Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  bounds.memory = memory;
  bounds.stale_reads = stale_reads;
  return bounds;
}

// Small enough that a search without states comes to its end.
std::vector<Model> small_models() {
  const LatestSetting reads{.written = 1, .writes = 3, .reads = 1, .leaves = true};
  const LatestSetting overtaken{.written = 1, .writes = 3, .reads = 1};
  const LatestSetting joins{.writes = 3, .reads = 1, .grows = true};
  const LatestSetting holds{.written = 3, .writes = 3, .reads = 2, .holds_while_reading = true};
  const LatestSetting spare{.spares = 1, .written = 4, .writes = 3, .reads = 1};
  const LatestSetting guest{.members = 1, .guests = 1, .written = 4, .writes = 2, .reads = 1};
  return {
      {"a reader", reads, within(2, 1, Memory::sequential)},
      {"a reader holds and asks", holds, within(4, 0, Memory::sequential)},
      {"a slot to spare", spare, within(4, 0, Memory::sequential)},
      {"a member and a guest", guest, within(2, 0, Memory::sequential)},
      {"weak memory, a reader", reads, within(1, 1, Memory::weak, 1)},
      {"weak memory, a reader that is overtaken", overtaken, within(4, 0, Memory::weak, 1)},
      {"weak memory, a reader joins", joins, within(3, 0, Memory::weak, 1)},
      {"weak memory, a reader holds and asks", holds, within(3, 0, Memory::weak, 1)},
      {"weak memory, a member and a guest", guest, within(1, 0, Memory::weak, 2)},
  };
}

struct Searched {
  bool found = false;
  std::uint64_t runs = 0;
};

// A search that found nothing must have come to its end.
Searched searched(const Model& model, bool by_states) {
  Bounds bounds = model.bounds;
  bounds.prune = by_states;
  const Result result = explore<LatestWorld>(bounds, model.setting);
  EXPECT_GT(result.runs, 0u);
  EXPECT_TRUE(result.exhausted || !result.failure.empty()) << result.detail;
  return {!result.failure.empty(), result.runs};
}

TEST(LatestStates, WithAndWithoutThemTheCoreIsSound) {
  std::uint64_t by_states = 0;
  std::uint64_t run_by_run = 0;
  for (const Model& model : small_models()) {
    const Searched few = searched(model, true);
    const Searched all = searched(model, false);
    EXPECT_FALSE(few.found) << model.name;
    EXPECT_FALSE(all.found) << model.name;
    by_states += few.runs;
    run_by_run += all.runs;
  }
  // Where no states are met again, the two searches are one.
  EXPECT_LT(by_states * 2, run_by_run);
}

TEST(LatestStates, WithAndWithoutThemTheVerdictOnEachMutantIsTheSame) {
  const std::vector<Model> models = small_models();
  const std::vector<Mutant> mutants = mutants_of(
      [&] {
        for (const Model& model : models) static_cast<void>(searched(model, true));
      },
      "channel/internal/latest_core.hpp");
  ASSERT_GE(mutants.size(), 35u);
  std::size_t found = 0;
  for (const Mutant& mutant : mutants) {
    const Mutated applied(mutant);
    bool by_any = false;
    for (const Model& model : models) {
      const bool by_states = searched(model, true).found;
      EXPECT_EQ(by_states, searched(model, false).found)
          << to_string(mutant) << " in " << model.name;
      by_any = by_any || by_states;
    }
    if (by_any) ++found;
  }
  // Two that find nothing would agree as well. Larger models find all: see latest_target().
  EXPECT_GE(found * 4, mutants.size() * 3);
}

}  // namespace
}  // namespace kith::explored
