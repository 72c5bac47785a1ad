#include "kith/memory/sysv_shm.hpp"

#include <cerrno>
#include <cstdio>
#include <iterator>

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/process.hpp"

namespace kith {
namespace {

std::string hexadecimal(std::int32_t key) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(key));
  return text;
}

std::string object_of(const SysvKey& key) {
  return "System V segment " + (key == SysvKey() ? "without a key" : "of key " + key.text());
}

std::string object_of(std::int32_t id) {
  return "System V segment of id " + std::to_string(id);
}

// "a segment of 4096 bytes, id 7, its creator (process 12) is dead, 0 attached"
std::string segment_words(const SysvFacts& facts) {
  std::string text = "a segment of " + internal::bytes_text(facts.size) + ", id " +
                     std::to_string(facts.id) + ", made by ";
  if (facts.creator_pid == 0) {
    text += "a process of another PID namespace";
  } else {
    const bool dead = os::creator_is_gone(facts);
    text += "process " + std::to_string(facts.creator_pid) + (dead ? " (dead)" : " (alive)");
  }
  return text + ", attached " + std::to_string(facts.attached) + " times";
}

Error taken(const SysvKey& key, const std::string& object) {
  const auto id = os::find_sysv_segment(key.number());
  const auto facts =
      id ? os::facts_of_sysv_segment(id.value) : os::Outcome<SysvFacts>::failed(id.error);
  const std::string by =
      facts ? segment_words(facts.value) : "a segment that this user may not look at";
  if (!key.is_of_path()) return internal::memory_is_taken(object, by);
  return Error(Errc::already_exists,
               {.object = object,
                .expected = "a key that is free",
                .found = by,
                .remedy = "open it or remove it; if it is not yours, another path happens to have "
                          "the same key: choose another project number"});
}

// shmget says ENOSPC for two limits and EINVAL for a third: look which one it was.
Error limit_error(const std::string& object, std::uint64_t size, int error_number) {
  const auto asked = os::sysv_limits();
  if (!asked) return internal::system_error(object, "creating it", error_number);
  const os::SysvLimits& limits = asked.value;
  const auto says = [&](Errc code, const std::string& expected, const std::string& found,
                        const std::string& setting) {
    return Error(code, {.object = object,
                        .expected = expected,
                        .found = found,
                        .remedy = "raise the limit as root: sysctl -w kernel." + setting +
                                  "=N; or remove segments that nobody needs (`ipcs -m`)"});
  };
  if (error_number == EINVAL) {
    return says(Errc::limit_reached,
                "at most " + internal::bytes_text(limits.segment_bytes_max) + " (SHMMAX)",
                internal::bytes_text(size), "shmmax");
  }
  if (limits.segments >= limits.segments_max) {
    return says(Errc::limit_reached, "fewer segments than the machine allows (SHMMNI)",
                std::to_string(limits.segments) + " of " + std::to_string(limits.segments_max),
                "shmmni");
  }
  return says(
      Errc::no_space, internal::bytes_text(size) + " within the machine's pages (SHMALL)",
      std::to_string(limits.pages) + " of " + std::to_string(limits.pages_max) + " pages in use",
      "shmall");
}

Error creation_error(const SysvKey& key, std::uint64_t size, int error_number) {
  const std::string object = object_of(key);
  switch (error_number) {
    case EEXIST:
      return taken(key, object);
    case EINVAL:
    case ENOSPC:
      return limit_error(object, size, error_number);
    case ENOMEM:
      return internal::no_space(object, size, "less memory than that");
    default:
      return internal::system_error(object, "creating it", error_number);
  }
}

Error not_there(const SysvKey& key) {
  std::string remedy = "start the program that creates it";
  if (key.is_of_path()) {
    remedy +=
        "; if it runs: a file that was replaced since has another key (ftok is made of the inode "
        "number), so start both programs anew, or see `ipcs -m` for the keys there are";
  }
  return Error(Errc::not_found, {.object = object_of(key),
                                 .expected = "a segment under this key",
                                 .found = "none",
                                 .remedy = remedy});
}

Error gone(const std::string& object) {
  return Error(Errc::not_found, {.object = object,
                                 .expected = "a segment of this id",
                                 .found = "none, or one that is removed already",
                                 .remedy = "ask its creator for the id; an id is never used again "
                                           "for another segment for a long time"});
}

bool is_gone(int error_number) {
  return error_number == EINVAL || error_number == EIDRM;
}

Error attaching_error(const std::string& object, const SysvAttach& attach, std::uint64_t size,
                      int error_number) {
  if (error_number == EINVAL && attach.address != nullptr) {
    char where[32];
    std::snprintf(where, sizeof where, "%p", attach.address);
    return Error(Errc::in_use,
                 {.object = object,
                  .expected = internal::bytes_text(size) + " of free addresses from " + where,
                  .found = "something mapped there, or not the begin of a page",
                  .remedy = "choose another address, or let the kernel choose"});
  }
  if (is_gone(error_number)) return gone(object);
  return internal::system_error(object, "attaching it", error_number);
}

std::int32_t id_of(const SysvKey& key) {
  if (key == SysvKey()) {
    throw internal::memory_name_refused(object_of(key), "0 is the key of segments without a key");
  }
  const auto id = os::find_sysv_segment(key.number());
  if (!id && id.error == ENOENT) throw not_there(key);
  if (!id) throw internal::system_error(object_of(key), "looking for it", id.error);
  return id.value;
}

void remove_segment(std::int32_t id, const std::string& object) {
  const auto removed = os::remove_sysv_segment(id);
  if (removed) return;
  if (is_gone(removed.error)) throw gone(object);
  throw internal::system_error(object, "removing it", removed.error);
}

// All pages now, so that want of memory is found here. Older kernels allocate at the first touch.
void allocate(std::span<std::byte> bytes, const std::string& object) {
  const auto done = os::populate(bytes);
  if (done || done.error == EINVAL) return;
  throw internal::no_space(object, bytes.size(), os::error_text(done.error));
}

}  // namespace

SysvKey SysvKey::of_path(const std::string& path, int project) {
  const std::string object = "System V key of '" + path + "'";
  if (project < 1 || project > 255) {
    throw Error(Errc::invalid_argument, {.object = object,
                                         .expected = "a project number of 1 to 255",
                                         .found = std::to_string(project),
                                         .remedy = "ftok() takes no more than 8 bits of it"});
  }
  const auto number = os::sysv_key_of(path, project);
  if (!number) throw internal::system_error(object, "looking at the file", number.error);
  SysvKey key = of_number(number.value);
  key.path_ = path + ", " + std::to_string(project);
  return key;
}

SysvKey SysvKey::of_number(std::int32_t key) {
  if (key == os::kSysvPrivateKey) {
    throw Error(Errc::invalid_argument, {.object = "System V key",
                                         .expected = "any number but 0",
                                         .found = "0, which is IPC_PRIVATE",
                                         .remedy = "for a segment without a key take "
                                                   "SysvShm::create_private()"});
  }
  SysvKey made;
  made.number_ = key;
  return made;
}

std::string SysvKey::text() const {
  return hexadecimal(number_) + (path_.empty() ? "" : " (ftok of " + path_ + ")");
}

SysvShm SysvShm::attach_to(std::int32_t id, SysvKey key, Access access, SysvAttach attach,
                           const std::string& object) {
  const auto facts = os::facts_of_sysv_segment(id);
  if (!facts && is_gone(facts.error)) throw gone(object);
  if (!facts) throw internal::system_error(object, "looking at it", facts.error);
  if (attach.size != 0 && facts.value.size != attach.size) {
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = internal::bytes_text(attach.size),
                                   .found = segment_words(facts.value),
                                   .remedy = "build both programs from one definition; if the "
                                             "segment is an old one, remove it (`ipcrm -m`)"});
  }
  auto mapping = os::attach_sysv_segment(id, facts.value.size, access, attach.address);
  if (!mapping) throw attaching_error(object, attach, facts.value.size, mapping.error);
  if (key == SysvKey() && facts.value.key != os::kSysvPrivateKey) {
    key = SysvKey::of_number(facts.value.key);
  }
  const os::FileIdentity identity{.device = 0, .inode = static_cast<std::uint64_t>(id)};
  return SysvShm(internal::MappedBytes(std::move(mapping.value), identity, access), std::move(key),
                 id);
}

SysvShm SysvShm::create_segment(const SysvKey& key, std::uint64_t size, std::uint32_t permissions,
                                SysvAttach attach, bool until_last_user) {
  const std::string object = object_of(key);
  internal::require_size(size, object);
  internal::require_machine_room(size, object);
  if (permissions > 0777U) {
    throw Error(Errc::invalid_argument, {.object = object,
                                         .expected = "permissions of 0000 to 0777",
                                         .found = internal::octal(permissions),
                                         .remedy = "name only rights to read and write"});
  }
  const auto id = os::create_sysv_segment(key.number(), size, permissions);
  if (!id) throw creation_error(key, size, id.error);
  try {
    attach.size = 0;
    SysvShm made = attach_to(id.value, key, Access::read_write, attach, object);
    // Before the pages, which take their time: the sooner, the smaller the gap for a death.
    if (until_last_user) remove_segment(id.value, object);
    allocate(made.writable_bytes(), object);
    return made;
  } catch (const Error&) {
    static_cast<void>(os::remove_sysv_segment(id.value));  // marked already, or ours to remove
    throw;
  }
}

SysvShm SysvShm::create(const SysvKey& key, std::uint64_t size, std::uint32_t permissions,
                        SysvAttach attach) {
  if (key == SysvKey()) {
    throw internal::memory_name_refused(object_of(key), "a key is needed; see create_private()");
  }
  return create_segment(key, size, permissions, attach, false);
}

SysvShm SysvShm::create_private(std::uint64_t size, std::uint32_t permissions, SysvAttach attach) {
  return create_segment(SysvKey(), size, permissions, attach, false);
}

SysvShm SysvShm::create_until_last_user(std::uint64_t size, std::uint32_t permissions,
                                        SysvAttach attach) {
  return create_segment(SysvKey(), size, permissions, attach, true);
}

SysvShm SysvShm::open(const SysvKey& key, Access access, SysvAttach attach) {
  return attach_to(id_of(key), key, access, attach, object_of(key));
}

SysvShm SysvShm::open_id(std::int32_t id, Access access, SysvAttach attach) {
  return attach_to(id, SysvKey(), access, attach, object_of(id));
}

void SysvShm::remove(const SysvKey& key) {
  remove_segment(id_of(key), object_of(key));
}

void SysvShm::remove_id(std::int32_t id) {
  remove_segment(id, object_of(id));
}

SysvFacts SysvShm::facts() const {
  KITH_REQUIRE(*this, "a segment that was moved from has no facts");
  const auto facts = os::facts_of_sysv_segment(id_);
  if (!facts && is_gone(facts.error)) throw gone(object_of(id_));
  if (!facts) throw internal::system_error(object_of(id_), "looking at it", facts.error);
  return facts.value;
}

bool SysvShm::is_marked_for_destruction() const {
  return facts().marked_for_destruction;
}

std::vector<SysvFacts> SysvShm::abandoned() {
  std::vector<SysvFacts> found;
  for (const SysvFacts& segment : os::sysv_segments()) {
    const bool nobodys = segment.key == os::kSysvPrivateKey && segment.attached == 0;
    const bool ours = segment.creator == os::effective_user();
    if (nobodys && ours && os::creator_is_gone(segment)) found.push_back(segment);
  }
  return found;
}

}  // namespace kith
