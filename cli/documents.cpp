#include "cli/documents.hpp"

#include <algorithm>

#include "cli/text.hpp"

namespace kith::cli {
namespace {

void add_access(Json& json, std::uint32_t owner, std::uint32_t group, std::uint32_t permissions) {
  json["owner"] = {{"id", owner}, {"name", user_name(owner)}};
  json["group"] = {{"id", group}, {"name", group_name(group)}};
  json["mode"] = octal_text(permissions);
}

void add_time(Json& json, const std::string& key, std::int64_t ns) {
  json[key] = iso_time(ns);
  json[key + "_ns"] = ns;
}

Json json_of(const MappingFacts& mapping) {
  Json json = {{"begin", hex_text(mapping.begin)},
               {"end", hex_text(mapping.end)},
               {"size", mapping.end - mapping.begin},
               {"offset", mapping.offset},
               {"read", mapping.readable},
               {"write", mapping.writable},
               {"execute", mapping.executable},
               {"shared", mapping.shared}};
  if (mapping.resident_bytes) json["resident_bytes"] = *mapping.resident_bytes;
  return json;
}

Json json_of(const RoleFacts& role) {
  Json json = {{"role", role.writer ? "writer" : role.guest ? "guest" : "reader"}};
  if (!role.writer) json["index"] = role.index;
  json["name"] = role.name;
  json["state"] = state_word(role.state);
  if (role.state != RoleState::vacant) {
    json["holder"] = {{"place", role.holder.index},
                      {"incarnation", role.holder.incarnation},
                      {"pid", role.pid},
                      {"program", role.program}};
  }
  json["pinned_sequence"] = role.pins ? Json(role.pinned_sequence) : Json(nullptr);
  return json;
}

Json json_of(const LatestCounters& counters) {
  Json json = cli::json_of(counters.books);
  json["slots"] = counters.slots;
  json["newest_size"] = counters.newest_size;
  json["commit_times"] = counters.commit_times;
  if (counters.age_ns) json["newest_age_ns"] = *counters.age_ns;
  return json;
}

const char* liveness_word(Liveness liveness) {
  switch (liveness) {
    case Liveness::alive:
      return "alive";
    case Liveness::dead:
      return "dead";
    case Liveness::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

const char* state_word(const ObjectFacts& object) {
  if (!object.problem.empty()) return "problem";
  if (object.in_use) return "in_use";
  return object.orphaned ? "orphaned" : "unused";
}

const char* state_word(const DomainFacts& domain) {
  if (!domain.problem.empty()) return "problem";
  if (domain.members_living > 0 || domain.objects_in_use > 0) return "in_use";
  return domain.orphaned ? "orphaned" : "unused";
}

const char* state_word(const ForeignFacts& object) {
  if (!object.problem.empty()) return "problem";
  switch (object.in_use) {
    case InUse::yes:
      return "in_use";
    case InUse::no:
      return "unused";
    case InUse::unknown:
      break;
  }
  return "unknown";
}

const char* state_word(const MemberFacts& member) {
  return liveness_word(member.liveness);
}

const char* state_word(RoleState state) {
  switch (state) {
    case RoleState::held:
      return "held";
    case RoleState::dead:
      return "dead";
    case RoleState::vacant:
      break;
  }
  return "vacant";
}

const char* kind_word(ForeignKind kind) {
  switch (kind) {
    case ForeignKind::posix_memory:
      return "posix_memory";
    case ForeignKind::posix_semaphore:
      return "posix_semaphore";
    case ForeignKind::system_v_segment:
      return "system_v_segment";
    case ForeignKind::system_v_semaphores:
      return "system_v_semaphores";
    case ForeignKind::system_v_queue:
      return "system_v_queue";
    case ForeignKind::posix_queue:
      break;
  }
  return "posix_queue";
}

Cell state_cell(const std::string& word) {
  std::string text = word;
  std::replace(text.begin(), text.end(), '_', ' ');
  if (word == "in_use" || word == "alive" || word == "held") return {text, Tone::good};
  if (word == "orphaned" || word == "vacant") return {text, Tone::warning};
  if (word == "dead" || word == "problem") return {text, Tone::bad};
  return {text, Tone::quiet};
}

Json document_of(const char* command) {
  return {{"schema", kSchema}, {"command", command}};
}

Json json_of(const std::vector<ProcessUse>& users) {
  Json json = Json::array();
  for (const ProcessUse& user : users) {
    Json entry = {{"pid", user.pid},
                  {"program", user.program},
                  {"user", {{"id", user.user}, {"name", user_name(user.user)}}}};
    entry["mappings"] = Json::array();
    for (const MappingFacts& mapping : user.mappings) entry["mappings"].push_back(json_of(mapping));
    entry["descriptors"] = user.descriptors;
    json.push_back(std::move(entry));
  }
  return json;
}

Json json_of(const ObjectFacts& object) {
  Json json = {{"name", object.name}, {"state", state_word(object)}};
  if (!object.problem.empty()) {
    json["problem"] = object.problem;
    return json;
  }
  json["kind"] = object.kind;
  json["type"] = object.type_name;
  json["size"] = object.size;
  json["memory_bytes"] = object.allocated_bytes;
  json["lifetime"] = lifetime_word(object.lifetime);
  json["in_use"] = object.in_use;
  json["orphaned"] = object.orphaned;
  json["members"] = {{"living", object.members_living}, {"dead", object.members_dead}};
  add_time(json, "created", object.created_ns);
  json["creator"] = {{"pid", object.creator_pid},
                     {"program", object.creator_program},
                     {"alive", object.creator_lives}};
  add_access(json, object.owner, object.group, object.permissions);
  json["device"] = object.identity.device;
  json["inode"] = object.identity.inode;
  return json;
}

Json json_of(const LatestFacts& books) {
  return {{"sequence", books.sequence},
          {"payload_max", books.payload_max},
          {"readers_max", books.readers_max},
          {"guests_max", books.guests_max},
          {"spare_slots", books.spare_slots},
          {"has_writer", books.has_writer},
          {"readers_held", books.readers_held},
          {"readers_vacant", books.readers_vacant},
          {"guests_held", books.guests_held},
          {"guests_vacant", books.guests_vacant},
          {"pinned_held", books.pinned_held},
          {"pinned_vacant", books.pinned_vacant},
          {"pinned_by_nobody", books.pinned_by_nobody},
          {"slots_ready", books.slots_ready}};
}

Json json_of(const DomainFacts& domain) {
  Json json = {{"path", domain.path}, {"state", state_word(domain)}};
  add_access(json, domain.owner, domain.group, domain.permissions);
  json["standard"] = domain.standard;
  if (!domain.problem.empty()) json["problem"] = domain.problem;
  json["objects"] = domain.objects;
  json["objects_in_use"] = domain.objects_in_use;
  json["members"] = {{"living", domain.members_living}, {"dead", domain.members_dead}};
  json["memory_bytes"] = domain.allocated_bytes;
  json["orphaned"] = domain.orphaned;
  return json;
}

Json json_of(const MemberView& member) {
  const MemberFacts& facts = member.facts;
  Json json = {{"pid", facts.pid},
               {"program", facts.program},
               {"user", {{"id", facts.user}, {"name", user_name(facts.user)}}},
               {"state", state_word(facts)},
               {"stopped", member.stopped}};
  add_time(json, "since", facts.since_ns);
  json["place"] = facts.id.index;
  json["incarnation"] = facts.id.incarnation;
  json["pid_namespace"] = facts.pid_namespace;
  json["other_namespace"] = member.other_namespace;
  json["attached"] = member.attached;
  json["attached_without_name"] = member.attached_gone;
  return json;
}

Json json_of(const ForeignFacts& object) {
  Json json = {{"name", foreign_name(object.id)},
               {"kind", kind_word(object.id.kind)},
               {"state", state_word(object)}};
  if (!object.problem.empty()) {
    json["problem"] = object.problem;
    return json;
  }
  if (!object.in_use_why.empty()) json["why"] = object.in_use_why;
  add_access(json, object.owner, object.group, object.permissions);
  json["size"] = object.size;
  const ForeignKind kind = object.id.kind;
  const bool segment = kind == ForeignKind::system_v_segment;
  const bool memory = kind == ForeignKind::posix_memory || kind == ForeignKind::posix_semaphore;
  if (memory || segment) json["memory_bytes"] = object.allocated_bytes;
  if (segment || kind == ForeignKind::system_v_semaphores || kind == ForeignKind::system_v_queue) {
    json["id"] = object.id.id;
    json["key"] = object.key;
    add_time(json, "changed", object.changed_s * 1'000'000'000);
  }
  if (segment) {
    json["attached"] = object.attached;
    json["doomed"] = object.doomed;
    json["creator_pid"] = object.creator_pid;
  }
  if (kind == ForeignKind::system_v_semaphores) {
    json["semaphores"] = object.semaphores;
    json["waiting"] = object.waiting;
  }
  if (kind == ForeignKind::system_v_queue || kind == ForeignKind::posix_queue) {
    json["messages"] = object.messages;
  }
  if (segment || kind == ForeignKind::system_v_queue) json["last_pid"] = object.last_pid;
  json["processes"] = json_of(object.users);
  return json;
}

Json json_of(const MutexView& mutex) {
  const MutexFacts& facts = mutex.facts;
  Json json = {{"held", facts.held},
               {"inconsistent", facts.inconsistent},
               {"retired", facts.retired},
               {"has_waiters", facts.has_waiters}};
  if (facts.held) {
    json["holder"] = {{"pid", mutex.pid},
                      {"program", mutex.program},
                      {"place", facts.holder.index},
                      {"incarnation", facts.holder.incarnation},
                      {"thread", facts.thread},
                      {"recursions", facts.recursions},
                      {"state", liveness_word(mutex.liveness)}};
  }
  if (facts.waited_ns > 0) json["waited_ns"] = facts.waited_ns;
  return json;
}

Json json_of(const LockState& lock) {
  Json json = {{"kind", to_string(lock.kind)}, {"state", lock.text}, {"holders", Json::array()}};
  for (const LockHolder& holder : lock.holders) {
    json["holders"].push_back({{"pid", holder.pid},
                               {"program", holder.program},
                               {"place", holder.id.index},
                               {"incarnation", holder.id.incarnation},
                               {"state", liveness_word(holder.liveness)}});
  }
  return json;
}

Json json_of(const ObjectView& view) {
  Json json = json_of(view.facts);
  if (!view.facts.problem.empty()) return json;
  json["fingerprint"] = hex_text(view.fingerprint);
  json["format"] = {{"major", view.format_major},
                    {"minor", view.format_minor},
                    {"byte_order", view.little_endian ? "little" : "big"},
                    {"word_bits", view.word_bits}};
  json["file_size"] = view.file_size;
  json["geometry"] = view.geometry;
  json["being_changed"] = view.being_changed;
  if (view.latest) {
    json["latest"] = json_of(*view.latest);
    json["roles"] = Json::array();
    for (const RoleFacts& role : view.roles) json["roles"].push_back(json_of(role));
  }
  if (view.mutex) json["mutex"] = json_of(*view.mutex);
  if (view.lock) json["lock"] = json_of(*view.lock);
  if (view.facts.kind == "objects") {
    json["named"] = Json::array();
    for (const NamedObjectFacts& named : view.named) {
      json["named"].push_back({{"name", named.name},
                               {"type", named.type_name},
                               {"fingerprint", hex_text(named.fingerprint)},
                               {"offset", named.offset},
                               {"size", named.size}});
    }
  }
  json["attached"] = Json::array();
  for (const AttachedMember& member : view.attached) {
    json["attached"].push_back({{"pid", member.pid},
                                {"program", member.program},
                                {"place", member.id.index},
                                {"incarnation", member.id.incarnation},
                                {"state", liveness_word(member.liveness)}});
  }
  json["processes"] = json_of(view.users);
  json["processes_unseen"] = view.processes_unseen;
  return json;
}

}  // namespace kith::cli
