#include "tests/explore/channel_world.hpp"
#include "tests/explore/latest_world.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

using explore::Bounds;
using explore::kUnbounded;
using explore::Memory;

constexpr SubjectOf<LatestWorld, LatestSetting> subject;
constexpr SubjectOf<ChannelWorld, ChannelSetting> waiting;

Bounds sequential(std::uint32_t preemptions, std::uint32_t deaths) {
  Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  return bounds;
}

Bounds weak(std::uint32_t preemptions, std::uint32_t deaths, std::uint32_t stale_reads) {
  Bounds bounds = sequential(preemptions, deaths);
  bounds.memory = Memory::weak;
  bounds.stale_reads = stale_reads;
  return bounds;
}

}  // namespace

std::vector<Subject> latest_subjects() {
  const LatestSetting two_readers{.members = 2, .writes = 2, .reads = 1};
  const LatestSetting with_guest{.members = 1, .guests = 1, .written = 4, .writes = 4};
  return {
      subject("latest: 1 writer x 2, 2 readers x 1", two_readers, sequential(3, 2)),
      subject("latest: 1 writer x 3, 1 reader x 2", {.writes = 3, .reads = 2},
              sequential(kUnbounded, 1)),
      subject("latest: 1 writer x 3, 1 reader x 2 that holds while it asks",
              {.writes = 3, .reads = 2, .holds_while_reading = true}, sequential(kUnbounded, 1)),
      subject("latest: 1 writer x 4, a member and a guest", with_guest, sequential(2, 1)),
      subject("latest: a slot to spare",
              {.spares = 1, .written = 4, .writes = 5, .reads = 2, .keeps_last = true},
              sequential(kUnbounded, 0)),
      subject("latest: a slot to spare, deaths",
              {.spares = 1, .written = 4, .writes = 4, .reads = 2}, sequential(3, 1)),
      subject("latest: a reader joins while it is written",
              {.members = 2, .writes = 3, .reads = 1, .grows = true, .leaves = true},
              sequential(2, 1)),
      subject("latest: the first reader joins while it is written",
              {.writes = 3, .reads = 1, .grows = true, .leaves = true}, sequential(kUnbounded, 1)),
      subject("latest: weak memory, 1 reader", {.writes = 3, .reads = 2}, weak(3, 1, 2)),
      subject("latest: weak memory, 2 readers", two_readers, weak(2, 1, 2)),
      subject("latest: weak memory, the first reader joins while it is written",
              {.writes = 3, .reads = 1, .grows = true, .leaves = true}, weak(3, 1, 2)),
      waiting("latest: a reader sleeps until there is more", {.writes = 2}, sequential(3, 0)),
      waiting("latest: a reader sleeps, and somebody is killed", {.writes = 2}, sequential(1, 1)),
      waiting("latest: weak memory, a reader sleeps", {.writes = 2}, weak(2, 0, 2)),
      subject("latest: 1 writer x 3, 2 readers x 2", {.members = 2, .writes = 3, .reads = 2},
              sequential(3, 2), false),
      subject("latest: weak memory, 2 readers x 2", {.members = 2, .writes = 3, .reads = 2},
              weak(2, 2, 2), false),
  };
}

MutationTarget latest_target() {
  return {"latest_core.hpp",
          "channel/internal/latest_core.hpp",
          {
              subject("weak, 1 reader", {.writes = 3, .reads = 2, .leaves = true}, weak(2, 1, 2)),
              subject("weak, leaves", {.written = 3, .writes = 2, .reads = 1, .leaves = true},
                      weak(2, 0, 2)),
              subject("weak, keeps", {.writes = 4, .reads = 2, .keeps_last = true}, weak(2, 1, 1)),
              subject("weak, joins", {.writes = 3, .reads = 1, .grows = true}, weak(2, 1, 2)),
              subject("weak, holds",
                      {.written = 3, .writes = 3, .reads = 2, .holds_while_reading = true},
                      weak(3, 0, 1)),
              subject("weak, asks", {.written = 1, .writes = 3, .reads = 1}, weak(4, 0, 1)),
              subject("1 reader", {.writes = 3, .reads = 2}, sequential(3, 1)),
              subject("holds", {.writes = 4, .reads = 2, .holds_while_reading = true},
                      sequential(3, 1)),
              subject("spare", {.spares = 1, .written = 4, .writes = 5, .reads = 2},
                      sequential(kUnbounded, 0)),
              subject("member and guest",
                      {.members = 1, .guests = 1, .written = 4, .writes = 2, .reads = 1},
                      weak(2, 0, 2)),
              waiting("sleeps", {.writes = 2}, weak(2, 0, 2)),
          }};
}

}  // namespace kith::explored
