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

Outcome<HeldLock> HeldLock::take(Descriptor file, std::uint64_t offset, LockKind kind) {
  using Answer = Outcome<HeldLock>;
  // A fork between here and the end would hand the child an open that keeps us alive in its eyes.
  const ForkGuard no_forks;
  const auto locked = try_lock(file, offset, kind);
  if (!locked) return Answer::failed(locked.error);
  if (locked.value == Locked::refused) return Answer::failed(EAGAIN);
  auto page = Mapping::of_file(file, page_size(), Access::read_only);
  if (!page) return Answer::failed(page.error);
  if (const auto kept = page.value.keep_from_children(); !kept) return Answer::failed(kept.error);

  Answer answer;
  answer.value.page_ = std::move(page.value);
  if (!mapping_keeps_locks(file)) {
    close_in_children(file.number());
    answer.value.kept_ = std::move(file);
  }
  return answer;  // elsewhere `file` ends here, and the open lives on in the mapping alone
}

HeldLock& HeldLock::operator=(HeldLock&& other) noexcept {
  if (this != &other) {
    close_kept();
    page_ = std::move(other.page_);
    kept_ = std::move(other.kept_);
  }
  return *this;
}

HeldLock::~HeldLock() {
  close_kept();
}

void HeldLock::close_kept() noexcept {
  if (!kept_) return;
  // One step for a fork: a child born between the two would keep open what nobody closes in it.
  const ForkGuard no_forks;
  forget_descriptor(kept_.number());
  kept_.close();
}

void HeldLock::forget_in_child() noexcept {
  // The page was never inherited, and unmapping its address could hit what the child put there. The
  // descriptor was closed by the fork handler, and its number may be another file by now.
  page_.forget();
  static_cast<void>(kept_.release());
}

}  // namespace kith::os
