#include "kith/os/file_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <map>

#include "kith/os/fork.hpp"
#include "kith/os/random.hpp"

namespace kith::os {
namespace {

struct flock on_byte(std::uint64_t offset, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset);
  lock.l_len = 1;
  return lock;
}

short type_of(LockKind kind) {
  return kind == LockKind::shared ? F_RDLCK : F_WRLCK;
}

}  // namespace

Outcome<Locked> try_lock(const Descriptor& file, std::uint64_t offset, LockKind kind) {
  struct flock lock = on_byte(offset, type_of(kind));
  if (::fcntl(file.number(), F_OFD_SETLK, &lock) == 0) return {Locked::yes, 0};
  if (errno == EAGAIN || errno == EACCES) return {Locked::refused, 0};
  return Outcome<Locked>::failed(errno);
}

Done unlock(const Descriptor& file, std::uint64_t offset) {
  struct flock lock = on_byte(offset, F_UNLCK);
  return {::fcntl(file.number(), F_OFD_SETLK, &lock) == 0 ? 0 : errno};
}

Outcome<bool> is_locked_elsewhere(const Descriptor& file, std::uint64_t offset, LockKind kind) {
  struct flock lock = on_byte(offset, type_of(kind));
  if (::fcntl(file.number(), F_OFD_GETLK, &lock) != 0) return Outcome<bool>::failed(errno);
  return {lock.l_type != F_UNLCK, 0};
}

namespace {

bool try_whether_mapping_keeps_locks(const Descriptor& file) {
  // On a byte that nobody else can mean, so that no other process's lock is taken for ours.
  constexpr std::uint64_t kProbes = std::uint64_t{1} << 60;
  const std::uint64_t byte = kProbes + random_number() % kProbes;
  auto own = open_again(file, Access::read_write);
  if (!own) return false;
  const auto locked = try_lock(own.value, byte, LockKind::exclusive);
  const auto page = Mapping::of_file(own.value, page_size(), Access::read_only);
  if (!locked || locked.value != Locked::yes || !page) return false;
  own.value.close();
  const auto held = is_locked_elsewhere(file, byte, LockKind::exclusive);
  return held && held.value;
}

}  // namespace

bool mapping_keeps_locks(const Descriptor& file) {
  static auto& known = *new std::map<std::uint64_t, bool>;  // outlives static destructors
  const ForkGuard guard;  // guards the map; and a child born in the trial would fake a yes
  const auto facts = facts_of(file);
  if (!facts) return false;
  const auto [entry, is_new] = known.try_emplace(facts.value.identity.device, false);
  if (is_new) entry->second = try_whether_mapping_keeps_locks(file);
  return entry->second;
}

}  // namespace kith::os
