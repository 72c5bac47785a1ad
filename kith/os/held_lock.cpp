#include <cerrno>
#include <utility>

#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"

namespace kith::os {

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
