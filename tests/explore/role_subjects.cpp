#include "tests/explore/channel_world.hpp"
#include "tests/explore/guest_world.hpp"
#include "tests/explore/object_world.hpp"
#include "tests/explore/role_world.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

using explore::Bounds;

template <class World = RoleWorld, class Setting = RoleSetting>
Subject subject(std::string name, const Setting& setting, std::uint32_t preemptions,
                std::uint32_t deaths, std::uint32_t stale_reads = 0) {
  Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  bounds.stale_reads = stale_reads;
  if (stale_reads > 0) bounds.memory = explore::Memory::weak;
  return {std::move(name), bounds,
          [setting](const Bounds& within) { return explore::explore<World>(within, setting); }};
}

}  // namespace

std::vector<Subject> role_subjects() {
  using enum RoleDeed;
  return {
      subject("roles: two write", {{write, write_named}}, 2, 0),
      subject("roles: two write in turn", {{write, wait_to_write}}, 1, 1),
      subject("roles: two read, where one may", {{read, read}, 1}, 1, 1),
      subject("roles: two read by one name", {{read_named, read_and_go}}, 1, 1),
      subject("roles: one reads by name, one writes", {{read_named, write}}, 1, 1),
      subject("roles: one reads by name, one reaps", {{read_named, reap}}, 1, 1),
      subject("roles: one reads by name, one cleans", {{read_named, clean}}, 1, 1),
      subject("roles: one writes, one reaps", {{write_named, reap}}, 1, 1),
      subject("roles: one waits to write, one replaces the members' table",
              {{wait_to_write, replace_table}}, 1, 0),
      subject("roles: one writes, one asks for writers", {{write, watch_writer}}, 2, 0),
      subject("roles: one reads, one counts readers", {{read, count_readers}}, 2, 0),
      subject("roles: one writes, one reads, where slots get their pages late",
              {{write, read}, 1, 4096}, 2, 0),
      subject<GuestWorld>("guests: one reads while the writer writes", GuestSetting{{""}}, 1, 1),
      subject<GuestWorld>("guests: two read by one name", GuestSetting{{"g", "g"}}, 1, 0),
      subject<GuestWorld>("guests: two read by one name, and one dies", GuestSetting{{"g", "g"}}, 0,
                          1),
      subject<GuestWorld>("guests: two read, where one may", GuestSetting{{"", ""}, 1}, 1, 0),
      subject<GuestWorld>("guests: one forks, and dies before its child", GuestSetting{{""}, 2, 1},
                          0, 1),
      subject<GuestWorld>("guests: one reads, one removes the channel",
                          GuestSetting{{""}, 1, 0, Force::no}, 2, 0),
      subject<GuestWorld>("guests: one reads, one removes the channel, and one dies",
                          GuestSetting{{""}, 1, 0, Force::no}, 1, 1),
      subject<GuestWorld>("guests: one forks, one removes the channel",
                          GuestSetting{{""}, 1, 1, Force::no}, 0, 1),
      subject<GuestWorld>("guests: one reads, one removes the channel by force",
                          GuestSetting{{""}, 1, 0, Force::yes}, 1, 1),
      subject<GuestWorld>("guests: one sits, one comes, one removes the channel by force",
                          GuestSetting{{"", ""}, 1, 0, Force::yes, true}, 1, 0),
      subject<GuestWorld>("guests: one sits, one of its name comes, one removes it by force",
                          GuestSetting{{"g", "g"}, 2, 0, Force::yes, true}, 1, 0),
      subject<GuestWorld>("guests: weak memory, one reads while the writer writes",
                          GuestSetting{{""}}, 1, 0, 1),
      subject<ObjectWorld>("objects: two create one name", ObjectSetting{{"a", "a"}}, 2, 1),
      subject<ObjectWorld>("objects: two create two names", ObjectSetting{{"a", "b"}}, 2, 1),
      subject("roles: weak memory, two write", {{write, write}}, 2, 0, 2),
      subject("roles: weak memory, two read by one name", {{read_named, read_and_go}}, 2, 0, 2),
  };
}

namespace {

std::vector<Subject> objects() {
  return {
      subject<ObjectWorld>("one name", ObjectSetting{{"a", "a"}}, 1, 1),
      subject<ObjectWorld>("two names", ObjectSetting{{"a", "b"}}, 1, 1),
      subject<ObjectWorld>("weak", ObjectSetting{{"a", "a"}}, 1, 0, 1),
  };
}

std::vector<Subject> guests() {
  const auto guest = [](std::string name, const GuestSetting& setting, std::uint32_t preemptions,
                        std::uint32_t deaths) {
    return subject<GuestWorld>(std::move(name), setting, preemptions, deaths);
  };
  return {
      guest("one forks, or the writer dies", {{""}, 1, 1}, 0, 1),
      guest("one reads, one removes", {{""}, 1, 0, Force::no}, 1, 0),
      guest("one reads, one removes by force", {{""}, 1, 0, Force::yes}, 1, 0),
      guest("two read by one name", {{"g", "g"}}, 1, 0),
      guest("two read, where one may", {{"", ""}, 1}, 1, 0),
  };
}

}  // namespace

std::vector<MutationTarget> role_targets() {
  using enum RoleDeed;
  const std::vector<Subject> subjects{
      subject("weak, two write", {{write, write_named}}, 1, 0, 2),
      subject("weak, two read by one name", {{read_named, read_and_go}}, 1, 0, 2),
      subject("weak, two read", {{read, read}, 1}, 1, 0, 2),
      subject("two write in turn", {{wait_to_write, wait_to_write}}, 1, 0),
      subject("one writes, one asks for writers", {{write, watch_writer}}, 1, 0),
      subject("one reads, one counts readers", {{read, count_readers}}, 1, 0),
      subject("one waits to write, one replaces the table", {{wait_to_write, replace_table}}, 1, 0),
      subject("weak, slots get their pages late", {{write, read}, 1, 4096}, 1, 0, 2),
      subject("weak, two write, and die", {{write, write_named}}, 0, 1, 1),
      subject("weak, two read by one name, and die", {{read_named, read_and_go}}, 0, 1, 1),
      subject("weak, one reads, one reaps", {{read, reap}}, 0, 1, 1),
      subject("weak, one reads by name, one reaps", {{read_named, reap}}, 0, 1, 1),
      subject("weak, one reads by name, one writes", {{read_named, write}}, 1, 0, 2),
  };
  Bounds bounds;
  bounds.stale_reads = 2;
  bounds.memory = explore::Memory::weak;
  const Subject sleeping{"weak, sleeps", bounds, [](const Bounds& within) {
                           return explore::explore<ChannelWorld>(within, ChannelSetting{});
                         }};
  return {{"role.cpp", "internal/role.cpp", subjects},
          {"latest_roles.cpp", "internal/latest_roles.cpp", subjects},
          {"latest_channel.cpp", "internal/latest_channel.cpp", subjects},
          {"latest_reader.cpp", "internal/latest_reader.cpp", {sleeping}},
          {"object_region.cpp", "region/object_region.cpp", objects()},
          {"guests", "internal/latest_guest.cpp", guests(), "kith/os/"}};
}

}  // namespace kith::explored
