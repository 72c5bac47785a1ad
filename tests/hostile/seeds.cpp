#include "tests/hostile/seeds.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kith/channel/internal/role_record.hpp"
#include "kith/sync/internal/mutex_word.hpp"

#include "tests/hostile/operations.hpp"

namespace kith::hostile {
namespace {

struct Call {
  const char* name;
  std::uint8_t argument;
};

// What is opened first, and what is then done with it.
struct Plan {
  std::vector<Call> look;
  std::vector<Call> open;
  std::vector<Call> use;
};

const std::vector<Call> kEnd{{"close_writer", 0},  {"close_reader", 0}, {"close_reader", 3},
                             {"close_regions", 0}, {"close_mutex", 0},  {"close_waits", 0},
                             {"close_locks", 0},   {"clean", 1},        {"leave", 0},
                             {"remove", 0},        {"remove", 1}};

// Readers by number and role: see open_reader().
constexpr std::uint8_t kViewer = 2;
constexpr std::uint8_t kUnnamed = 1;
constexpr std::uint8_t kNewGuest = 7;
// Of mutexes: see mutex_options().
constexpr std::uint8_t kRecursive = 1;
constexpr std::uint8_t kRepairing = 2;

// With what it takes to be asked for anything: who joins heals a mutex by itself, and whoever comes
// to one in a region finds the dead holder.
Plan plan_for_mutex(Kind kind) {
  const char* open = kind == Kind::mutex ? "open_mutex" : "open_cell";
  Plan plan;
  plan.look = {{"list", 0}, {"members_seen", 0}, {"locks_seen", 0}};
  plan.open = {{"join", 0}, {open, 0}};
  plan.use = {{"look_at_mutex", 0}, {"acquire_mutex", 1}, {"check_mutex", 0},
              {"acquire_mutex", 0}, {"declare_mutex", 0}, {"look_at_mutex", 0},
              {"locks_seen", 0},    {"release_mutex", 0}, {"release_mutex", 0},
              {"lock_mutex", 0},    {"reap", 0},          {open, kRecursive},
              {"acquire_mutex", 0}, {"acquire_mutex", 0}, {"declare_mutex", 0},
              {"release_mutex", 0}, {"close_mutex", 0},   {open, kRepairing},
              {"lock_mutex", 0},    {"acquire_mutex", 1}, {"declare_mutex", 0}};
  return plan;
}

Plan plan_for_waits(Kind kind) {
  Plan plan;
  plan.look = {{"list", 0}, {"members_seen", 0}, {"locks_seen", 0}};
  if (kind == Kind::permits) {
    plan.open = {{"join", 0}, {"open_permits", 0}};
    plan.use = {
        {"use_permits", 0}, {"use_permits", 1}, {"locks_seen", 0}, {"reap", 0}, {"use_permits", 0}};
    return plan;
  }
  plan.open = {{"join", 0}, {"open_waits", 0}};
  plan.use = {{"use_events", 0},    {"use_events", 1},  {"use_signals", 0}, {"use_condition", 0},
              {"use_condition", 1}, {"use_permits", 0}, {"use_permits", 1}, {"use_barrier", 0},
              {"use_barrier", 1},   {"reap", 0},        {"use_barrier", 0}, {"locks_seen", 0}};
  return plan;
}

// Of a read-write lock, by itself or in a cell. Who opens it anew may read once more.
const std::vector<Call> kUseLock{{"look_at_lock", 0},
                                 {"read_lock", 1},
                                 {"declare_lock", 0},
                                 {"release_lock", 0},
                                 {"write_lock", 1},
                                 {"declare_lock", 0},
                                 {"downgrade_lock", 0},
                                 {"read_lock", 0},
                                 {"release_lock", 0},
                                 {"upgrade_lock", 1},
                                 {"release_lock", 0},
                                 {"read_lock", 0},
                                 {"upgrade_lock", 1},
                                 {"look_at_lock", 0},
                                 {"locks_seen", 0},
                                 {"release_lock", 0},
                                 {"guard_lock", 2},
                                 {"guard_lock", 1},
                                 {"reap", 0}};
const std::vector<Call> kUseGuarded{{"read_guarded", 0},   {"change_guarded", 1},
                                    {"change_guarded", 4}, {"change_guarded", 6},
                                    {"read_guarded", 1},   {"locks_seen", 0}};
const std::vector<Call> kUseOnce{
    {"call_once", 201}, {"call_once", 1}, {"call_once", 0}, {"locks_seen", 0}};

Plan plan_for_lock(Kind kind) {
  Plan plan;
  plan.look = {{"list", 0}, {"members_seen", 0}, {"locks_seen", 0}};
  plan.open = {{"join", 0}};
  const auto use = [&plan](const std::vector<Call>& calls) {
    plan.use.insert(plan.use.end(), calls.begin(), calls.end());
  };
  if (kind == Kind::rw_lock) {
    plan.open.push_back({"open_rw_lock", 0});
    use(kUseLock);
    use({{"open_rw_lock", 1}, {"guard_lock", 2}, {"guard_lock", 1}});
  } else if (kind == Kind::cells) {
    plan.open.push_back({"open_cells", 0});
    use(kUseLock);
    use(kUseGuarded);
    use(kUseOnce);
  } else if (kind == Kind::guarded) {
    plan.open.push_back({"open_guarded", 0});
    use(kUseGuarded);
    use({{"reap", 0}, {"open_guarded", 0}, {"change_guarded", 0}});
  } else if (kind == Kind::guarded_bytes) {
    plan.open.push_back({"open_guarded_bytes", 0});
    use({{"hold_bytes", 1},
         {"use_held_bytes", 1},
         {"locks_seen", 0},
         {"use_held_bytes", 0},
         {"release_bytes", 0},
         {"reap", 0},
         {"open_guarded_bytes", 1},
         {"hold_bytes", 0},
         {"use_held_bytes", 64}});
  } else if (kind == Kind::once) {
    plan.open.push_back({"open_once", 0});
    use(kUseOnce);
    use({{"reap", 0}, {"open_once", 0}, {"call_once", 0}});
  } else {
    plan.open.push_back({"open_barrier", 0});
    use({{"use_barrier", 1},
         {"use_barrier", 0},
         {"locks_seen", 0},
         {"reap", 0},
         {"open_barrier", 0},
         {"use_barrier", 202},
         {"use_barrier", 0}});
  }
  return plan;
}

Plan plan_for(Kind kind) {
  Plan plan;
  plan.look = {{"list", 0}, {"members_seen", 0}};
  switch (kind) {
    case Kind::channel:
    case Kind::guests:
      plan.look.push_back({"facts", 0});
      plan.open = {{"open_writer", 0}, {"open_reader", kViewer}};
      plan.open.push_back(kind == Kind::guests ? Call{"open_guest", kNewGuest}
                                               : Call{"open_reader", kUnnamed});
      plan.use = {{"resume", 0},  {"acquire", 1},        {"write", 10},
                  {"refresh", 0}, {"refresh", 1},        {"draft", 0},
                  {"write", 1},   {"commit", 0},         {"release", 0},
                  {"copy", 200},  {"wait_newer", 1},     {"look_at_writer", 0},
                  {"facts", 0},   {"look_at_reader", 0}, {"look_at_reader", 1}};
      break;
    case Kind::objects:
      plan.open = {{"open_objects", 0}, {"join", 0}};
      plan.use = {{"find_objects", 0}, {"find_objects", 1}, {"add_object", 0},  {"add_object", 1},
                  {"add_object", 2},   {"members", 0},      {"open_objects", 1}};
      break;
    case Kind::type:
      plan.open = {{"open_type", 0}, {"join", 0}};
      plan.use = {{"use_type", 0}, {"members", 0}, {"wait_for_death", 1}, {"open_type", 1}};
      break;
    case Kind::bytes:
      plan.open = {{"open_bytes", 0}, {"join", 0}};
      plan.use = {{"use_bytes", 0}, {"reap", 0}, {"open_bytes", 1}};
      break;
    case Kind::mutex:
    case Kind::cell:
      return plan_for_mutex(kind);
    case Kind::waits:
    case Kind::permits:
      return plan_for_waits(kind);
    case Kind::rw_lock:
    case Kind::guarded:
    case Kind::guarded_bytes:
    case Kind::once:
    case Kind::barrier:
    case Kind::cells:
      return plan_for_lock(kind);
    case Kind::memory_type:
    case Kind::sealed_type:
      plan = {
          {}, {{"open_memory", 0}, {"open_memory", 1}}, {{"use_memory", 0}, {"open_memory", 2}}};
      break;
    case Kind::memory_bytes:
    case Kind::sealed_bytes:
      plan = {{}, {{"open_memory", 2}}, {{"use_memory", 0}, {"open_memory", 0}}};
      break;
  }
  return plan;
}

void add(Script& script, const std::vector<Call>& calls) {
  for (const Call& each : calls) {
    Step step;
    step.call = operation_named(each.name);
    step.argument = each.argument;
    script.steps.push_back(step);
  }
}

std::uint64_t number_in(const FileImage& image, const Place& place) {
  std::uint64_t value = 0;
  for (const FileImage::Extent& extent : image.extents) {
    const bool inside = place.offset >= extent.offset &&
                        place.offset + place.size <= extent.offset + extent.bytes.size();
    if (!inside) continue;
    std::memcpy(&value, extent.bytes.data() + (place.offset - extent.offset), place.size);
  }
  return value;
}

Step overwriting(std::uint8_t file, std::uint64_t offset, std::vector<std::uint8_t> bytes) {
  Step step;
  step.deed = Deed::overwrite;
  step.file = file;
  step.offset = static_cast<std::uint32_t>(offset);
  step.bytes = std::move(bytes);
  return step;
}

std::vector<Step> wrong_texts(std::uint8_t file, const Place& place) {
  const auto size = static_cast<std::size_t>(place.size);
  const std::string escape = "\x1b[2J\n\x7f\xff";
  std::vector<std::uint8_t> dangerous(escape.begin(), escape.end());
  dangerous.resize(std::min(dangerous.size(), size));
  return {overwriting(file, place.offset, std::vector<std::uint8_t>(size, 'A')),  // without an end
          overwriting(file, place.offset, std::vector<std::uint8_t>(size, 0xff)),
          overwriting(file, place.offset, std::vector<std::uint8_t>(size, 0)),
          overwriting(file, place.offset, dangerous)};
}

std::vector<Step> wrong_bytes(std::uint8_t file, const Place& place) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(place.size, 64));
  return {overwriting(file, place.offset, {0x5b}),
          overwriting(file, place.offset, std::vector<std::uint8_t>(size, 0xff)),
          overwriting(file, place.offset + place.size - 1, {0x5b})};
}

}  // namespace

std::vector<std::uint64_t> wrong_numbers(std::uint64_t right, std::uint64_t size, Use use,
                                         std::uint64_t file_size) {
  const std::uint64_t all = size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * size) - 1;
  std::vector<std::uint64_t> wrong{0,          1,        2,           right + 1, right - 1,
                                   all,        all >> 1, all / 2 + 1, file_size, file_size - 4096,
                                   right << 1, 0x10001,  1u << 20,    right ^ 1, 1000};
  if (use == Use::word) {
    using internal::kRoleNamed;
    using internal::kRoleVacant;
    const std::uint64_t incarnation = std::uint64_t{7} << 32;
    wrong.insert(wrong.end(),
                 {kRoleNamed, kRoleVacant, kRoleNamed | kRoleVacant, incarnation | 1,
                  incarnation | kRoleNamed | 2, incarnation | 0xffff, right | kRoleVacant, 0x0e,
                  0x1e, 0x3e, (right & ~std::uint64_t{62}) | 4});
  }
  if (use == Use::lock) {
    using internal::MutexWord;
    const std::uint64_t incarnation = std::uint64_t{7} << 32;
    wrong.insert(wrong.end(),
                 {MutexWord::kRetired, MutexWord::kInconsistent, MutexWord::kWaiters,
                  MutexWord::kStarving | MutexWord::kWaiters, right ^ MutexWord::kWaiters,
                  right ^ MutexWord::kStarving, right ^ MutexWord::kInconsistent,
                  right & ~MutexWord::kThread, right | MutexWord::kThread, right + (1u << 16),
                  incarnation | (1u << 16) | 2, incarnation | 0xffff, incarnation | 0x3ffff,
                  (right & ~std::uint64_t{0xffff}) | 3, MutexWord::kThread});
  }
  // As many whatever `right` is, so that a seed has the same number in every run.
  for (std::uint64_t& number : wrong) {
    number &= all;
    if (number == right) number = ~right & all;
  }
  return wrong;
}

std::vector<Step> wrong_fields(const FileImage& image, std::uint8_t file, const Place& place) {
  if (place.use == Use::text) return wrong_texts(file, place);
  if (place.use == Use::raw) return wrong_bytes(file, place);
  if (place.use == Use::unused) return {overwriting(file, place.offset, {0x5b})};
  std::vector<Step> steps;
  const std::uint64_t right = number_in(image, place);
  for (const std::uint64_t wrong : wrong_numbers(right, place.size, place.use, image.size)) {
    Step step;
    step.deed = Deed::poke;
    step.file = file;
    step.width = static_cast<std::uint8_t>(place.size);
    step.offset = static_cast<std::uint32_t>(place.offset);
    step.value = wrong;
    steps.push_back(step);
  }
  return steps;
}

Script usual_script(Kind kind) {
  const Plan plan = plan_for(kind);
  Script script{kind, {}};
  add(script, plan.look);
  if (!is_memory(kind)) add(script, {{"show", 0}});
  add(script, plan.open);
  add(script, plan.use);
  add(script, kEnd);
  return script;
}

std::vector<Script> seeds_of(const World& world, Kind kind) {
  const Plan plan = plan_for(kind);
  std::vector<Script> seeds{usual_script(kind)};
  const auto& images = world.images(kind);
  for (std::uint8_t file = 0; file < images.size(); ++file) {
    for (const Place& place : images[file].places) {
      bool shown = false;
      for (const Step& wrong : wrong_fields(images[file], file, place)) {
        Script before{kind, {wrong}};
        add(before, plan.look);
        // Costs more than all the rest, so once for each field.
        if (!shown && !is_memory(kind)) add(before, {{"show", 0}});
        shown = true;
        add(before, plan.open);
        add(before, plan.use);
        add(before, kEnd);
        Script meanwhile{kind, {}};
        add(meanwhile, plan.open);
        meanwhile.steps.push_back(wrong);
        add(meanwhile, plan.use);
        add(meanwhile, kEnd);
        seeds.push_back(std::move(before));
        seeds.push_back(std::move(meanwhile));
      }
    }
  }
  return seeds;
}

}  // namespace kith::hostile
