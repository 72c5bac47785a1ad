// The library's lowest floor, kith/os, over the explorer's kernel. A process of a model reaches its
// domain by a path of its own (see domain_of), because the library keeps what it knows of a domain
// once for each path in a process, and here all processes are one.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "kith/os/file.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/process.hpp"
#include "kith/os/random.hpp"
#include "kith/os/seals.hpp"
#include "kith/os/truncation_guard.hpp"

#include "testkit/explore/kernel.hpp"
#include "tests/explore/model/seam.hpp"

namespace kith {

using testkit::explore::Answer;
using testkit::explore::Kernel;

namespace {

Kernel& kernel() {
  return Kernel::current();
}

Kernel::Lock lock_of(os::LockKind kind) {
  return kind == os::LockKind::shared ? Kernel::Lock::shared : Kernel::Lock::exclusive;
}

// "/as/12/d" is "/d" as the process calls it.
std::string real(const std::string& path) {
  if (!path.starts_with("/as/")) return path;
  return path.substr(path.find('/', 4));
}

os::Outcome<os::Descriptor> opened(const Answer<int>& answer) {
  if (answer.error != 0) return os::Outcome<os::Descriptor>::failed(answer.error);
  return {os::Descriptor(answer.value), 0};
}

os::Outcome<os::FileFacts> facts_from(const Answer<testkit::explore::FileFacts>& answer) {
  if (answer.error != 0) return os::Outcome<os::FileFacts>::failed(answer.error);
  os::FileFacts facts;
  facts.identity = {1, answer.value.inode};
  facts.kind = answer.value.is_directory ? os::FileKind::directory : os::FileKind::regular;
  facts.size = facts.allocated_bytes = answer.value.size;
  facts.permissions = answer.value.mode;
  facts.links = answer.value.links;
  return {facts, 0};
}

os::Done done(int error) {
  return os::Done{error};
}

}  // namespace

model::Clock::time_point model::Clock::now() noexcept {
  return time_point(duration(kernel().now()));
}

namespace os {

// ---- file.hpp

void Descriptor::close() noexcept {
  if (number_ >= 0) static_cast<void>(kernel().close(number_));
  number_ = -1;
}

Outcome<Descriptor> open_directory(const std::string& path) {
  return opened(kernel().open_directory(real(path)));
}
Outcome<Descriptor> open_at(const Descriptor& directory, const std::string& name, Access) {
  return opened(kernel().open_at(directory.number(), name));
}
Outcome<Descriptor> open_again(const Descriptor& file, Access) {
  return opened(kernel().open_again(file.number()));
}
Outcome<Descriptor> create_unnamed(const Descriptor& directory) {
  return opened(kernel().create_unnamed(directory.number()));
}
Outcome<Descriptor> create_at(const Descriptor&, const std::string&) {
  return Outcome<Descriptor>::failed(ENOSYS);  // where files without a name are, nobody asks
}
Done link_unnamed(const Descriptor& file, const Descriptor& directory, const std::string& name) {
  return done(kernel().link(file.number(), directory.number(), name));
}
Done link_named(const Descriptor&, const std::string&, const std::string&) {
  return done(ENOSYS);
}
Done unlink_at(const Descriptor& directory, const std::string& name) {
  return done(kernel().unlink(directory.number(), name));
}
Outcome<FileFacts> facts_of(const Descriptor& file) {
  return facts_from(kernel().facts(file.number()));
}
Outcome<FileFacts> facts_at(const Descriptor& directory, const std::string& name) {
  return facts_from(kernel().facts_at(directory.number(), name));
}
Outcome<FileFacts> facts_of_path(const std::string& path) {
  return facts_from(kernel().facts_of_path(real(path)));
}
Outcome<SpaceFacts> space_of(const Descriptor&) {
  return {{1u << 30, 1u << 30}, 0};
}
Done set_permissions(const Descriptor& file, std::uint32_t permissions) {
  return done(kernel().set_mode(file.number(), permissions));
}
Done set_owner(const Descriptor&, std::uint32_t, std::uint32_t) {
  return done(0);
}
Done set_size(const Descriptor& file, std::uint64_t size) {
  return done(kernel().set_size(file.number(), size));
}
Done allocate(const Descriptor&, std::uint64_t, std::uint64_t) {
  return done(0);  // no memory runs out here
}
Done give_back(const Descriptor&, std::uint64_t, std::uint64_t) {
  return done(0);
}
Outcome<std::uint64_t> read_at(const Descriptor& file, void* to, std::uint64_t length,
                               std::uint64_t offset) {
  const auto answer = kernel().read(file.number(), to, length, offset);
  return {answer.value, answer.error};
}
Done write_at(const Descriptor& file, const void* from, std::uint64_t length,
              std::uint64_t offset) {
  return done(kernel().write(file.number(), from, length, offset));
}
Done make_directory(const std::string& path, std::uint32_t permissions) {
  return done(kernel().make_directory(real(path), permissions));
}
Done remove_directory(const std::string& path) {
  return done(kernel().remove_directory(real(path)));
}
Outcome<std::vector<std::string>> names_in(const Descriptor& directory) {
  auto answer = kernel().names(directory.number());
  return {std::move(answer.value), answer.error};
}
Outcome<Descriptor> create_memfd(const std::string&) {
  return Outcome<Descriptor>::failed(ENOSYS);
}
Done seal_size(const Descriptor&) {
  return done(ENOSYS);
}
Outcome<bool> size_is_sealed(const Descriptor&) {
  return Outcome<bool>::failed(ENOSYS);
}

// ---- file_lock.hpp

Outcome<Locked> try_lock(const Descriptor& file, std::uint64_t offset, LockKind kind) {
  const auto answer = kernel().lock(file.number(), offset, lock_of(kind));
  return {answer.value ? Locked::yes : Locked::refused, answer.error};
}
Done unlock(const Descriptor& file, std::uint64_t offset) {
  return done(kernel().unlock(file.number(), offset));
}
Outcome<bool> is_locked_elsewhere(const Descriptor& file, std::uint64_t offset, LockKind kind) {
  const auto answer = kernel().locked_elsewhere(file.number(), offset, lock_of(kind));
  return {answer.value, answer.error};
}
bool mapping_keeps_locks(const Descriptor&) {
  return true;
}

// ---- mapping.hpp

Outcome<Mapping> Mapping::of_file(const Descriptor& file, std::uint64_t size, Access, Reserve) {
  const auto answer = kernel().map(file.number(), size);
  if (answer.error != 0) return Outcome<Mapping>::failed(answer.error);
  return {adopt(answer.value, size), 0};
}
Mapping Mapping::adopt(std::byte* address, std::uint64_t size) noexcept {
  Mapping mapping;
  mapping.address_ = address;
  mapping.size_ = size;
  return mapping;
}
void Mapping::unmap() noexcept {
  if (address_ != nullptr) kernel().unmap(address_, size_);
  forget();
}
Done Mapping::keep_from_children() const noexcept {
  return done(kernel().keep_from_children(address_, size_));
}
Done Mapping::wipe_in_children() const noexcept {
  return done(0);
}
std::uint64_t page_size() noexcept {
  return 4096;
}
std::uint64_t memory_and_swap() noexcept {
  return std::uint64_t{1} << 40;
}

// ---- fork.hpp

// Also taken before any model is there, by what registers itself when the program starts.
ForkGuard::ForkGuard() {
  if (Kernel::is_there()) kernel().forbid_forks();
}
ForkGuard::~ForkGuard() {
  if (Kernel::is_there()) kernel().allow_forks();
}
void close_in_children(int descriptor) {
  kernel().close_in_children(descriptor);
}
void forget_descriptor(int) noexcept {}  // a number is given to one descriptor only

std::uint64_t process_mark() noexcept {
  return kernel().run_number() << 16 | kernel().process_number();
}
std::uint64_t* process_mark_word() noexcept {
  static std::uint64_t words[16];
  std::uint64_t* word = &words[kernel().process_number() / 1000];
  *word = process_mark();
  return word;
}

// ---- futex.hpp

namespace {

std::int64_t time_of(Deadline deadline) {
  return deadline.is_never() ? 0 : deadline.monotonic_ns();
}

}  // namespace

void futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                Deadline deadline) noexcept {
  kernel().wait(&word, expected, time_of(deadline));
}
void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept {
  kernel().wake_all(&word);
}
void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept {
  kernel().add_one_and_wake_all(&word);
}
void pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept {
  const auto length = std::min<std::chrono::nanoseconds>(span, deadline.remaining());
  kernel().pause_until(kernel().now() + length.count());
}

// ---- process.hpp, random.hpp, the rest

ProcessFacts this_process() {
  return {static_cast<std::uint32_t>(kernel().process_number()), 1, 0, "model"};
}
std::uint32_t effective_user() noexcept {
  return 0;
}
Outcome<std::uint32_t> user_number(const std::string&) {
  return {0, 0};
}
Outcome<std::uint32_t> group_number(const std::string&) {
  return {0, 0};
}
std::string environment(const char*) {
  return {};
}
std::string error_text(int error_number) {
  return std::strerror(error_number);
}
std::int64_t wall_clock_ns() noexcept {
  return 1;
}
std::uint64_t random_number() noexcept {
  return kernel().random_number();
}
std::uint64_t page_size_of(const Descriptor&) noexcept {
  return 4096;
}
Outcome<HugePool> huge_pool(std::uint64_t) {
  return Outcome<HugePool>::failed(ENOSYS);
}
std::string huge_pool_file(std::uint64_t) {
  return {};
}
Done add_seals(const Descriptor&, Seals) {
  return done(ENOSYS);
}
void guard_truncation() noexcept {}
GuardedPages::GuardedPages(const Mapping&) noexcept {}
void GuardedPages::end() noexcept {}

}  // namespace os
}  // namespace kith
