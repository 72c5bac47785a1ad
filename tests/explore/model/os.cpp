// The library's lowest floor, kith/os, over the explorer's kernel. A process of a model reaches its
// domain by a path of its own (see domain_of), because the library keeps what it knows of a domain
// once for each path in a process, and here all processes are one.
//
// A call is a place of mutants where leaving it out, or holding its answer to be the one before,
// takes a step or a second look out of what calls it.
#include <algorithm>
#include <any>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kith/os/file.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/last_word.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/process.hpp"
#include "kith/os/random.hpp"
#include "kith/os/seals.hpp"
#include "kith/os/thread_exit.hpp"
#include "kith/os/truncation_guard.hpp"

#include "testkit/explore/calls.hpp"
#include "testkit/explore/kernel.hpp"
#include "tests/explore/model/seam.hpp"

namespace kith {

using testkit::explore::Answer;
using testkit::explore::calls_matter;
using testkit::explore::is_mutated;
using testkit::explore::Kernel;
using testkit::explore::looked;
using testkit::explore::Mutation;

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

// What is looked at, in words that only mutants need.
std::string thing(const char* look, const os::Descriptor& file, const std::string& more = {}) {
  if (!calls_matter()) return {};
  return std::string(look) + " " + std::to_string(kernel().number_of(file.number())) + " " + more;
}

// Who opens a file by its name and looks at it has looked at the name.
void keep_name(const os::Descriptor& file, const os::Descriptor& directory,
               const std::string& name) {
  if (!calls_matter()) return;
  testkit::explore::keep_answer("name of " + std::to_string(file.number()),
                                thing("name", directory, name));
}
void keep_facts(const os::Descriptor& file, const os::Outcome<os::FileFacts>& facts) {
  if (!calls_matter()) return;
  const std::any* name = testkit::explore::kept_answer("name of " + std::to_string(file.number()));
  if (name != nullptr) {
    testkit::explore::keep_answer(std::any_cast<const std::string&>(*name), facts);
  }
}

}  // namespace

model::Clock::time_point model::Clock::now() noexcept {
  return time_point(duration(kernel().now()));
}

namespace os {

// ---- file.hpp

void Descriptor::close() noexcept {
  const int number = std::exchange(number_, -1);
  if (number < 0 || is_mutated("close", Mutation::skipped)) return;
  static_cast<void>(kernel().close(number));
}

Outcome<Descriptor> open_directory(const std::string& path) {
  return opened(kernel().open_directory(real(path)));
}
Outcome<Descriptor> open_at(const Descriptor& directory, const std::string& name, Access) {
  auto file = opened(kernel().open_at(directory.number(), name));
  if (file) keep_name(file.value, directory, name);
  return file;
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
  if (is_mutated("link_unnamed", Mutation::skipped)) return {};
  return done(kernel().link(file.number(), directory.number(), name));
}
Done link_named(const Descriptor&, const std::string&, const std::string&) {
  return done(ENOSYS);
}
Done unlink_at(const Descriptor& directory, const std::string& name) {
  if (is_mutated("unlink_at", Mutation::skipped)) return {};
  return done(kernel().unlink(directory.number(), name));
}
Outcome<FileFacts> facts_of(const Descriptor& file) {
  const auto facts = facts_from(kernel().facts(file.number()));  // an open file stays what it is
  keep_facts(file, facts);
  return facts;
}
Outcome<FileFacts> facts_at(const Descriptor& directory, const std::string& name) {
  return looked(is_mutated("facts_at", Mutation::remembered), thing("name", directory, name),
                [&] { return facts_from(kernel().facts_at(directory.number(), name)); });
}
Outcome<FileFacts> facts_of_path(const std::string& path) {
  return looked(is_mutated("facts_of_path", Mutation::remembered), "path " + path,
                [&] { return facts_from(kernel().facts_of_path(real(path))); });
}
Outcome<SpaceFacts> space_of(const Descriptor&) {
  return {{1u << 30, 1u << 30}, 0};
}
Done set_permissions(const Descriptor& file, std::uint32_t permissions) {
  if (is_mutated("set_permissions", Mutation::skipped)) return {};
  return done(kernel().set_mode(file.number(), permissions));
}
Done set_owner(const Descriptor&, std::uint32_t, std::uint32_t) {
  return done(0);
}
Done set_size(const Descriptor& file, std::uint64_t size) {
  if (is_mutated("set_size", Mutation::skipped)) return {};
  return done(kernel().set_size(file.number(), size));
}
Outcome<std::uint64_t> hole_from(const Descriptor&, std::uint64_t) {
  return {~std::uint64_t{0}, 0};  // nothing is missing
}
Done allocate(const Descriptor&, std::uint64_t, std::uint64_t) {
  return done(0);  // no memory runs out here
}
Done give_back(const Descriptor&, std::uint64_t, std::uint64_t) {
  return done(0);
}
Outcome<std::uint64_t> read_at(const Descriptor& file, void* to, std::uint64_t length,
                               std::uint64_t offset) {
  using Read = Outcome<std::vector<std::byte>>;
  const auto ask = [&]() -> Read {
    std::vector<std::byte> bytes(length);
    const auto answer = kernel().read(file.number(), bytes.data(), length, offset);
    bytes.resize(answer.value);
    return {std::move(bytes), answer.error};
  };
  const Read read =
      looked(is_mutated("read_at", Mutation::remembered),
             thing("bytes", file, std::to_string(offset) + "+" + std::to_string(length)), ask);
  std::copy(read.value.begin(), read.value.end(), static_cast<std::byte*>(to));
  return {read.value.size(), read.error};
}
Done write_at(const Descriptor& file, const void* from, std::uint64_t length,
              std::uint64_t offset) {
  if (is_mutated("write_at", Mutation::skipped)) return {};
  return done(kernel().write(file.number(), from, length, offset));
}
Done make_directory(const std::string& path, std::uint32_t permissions) {
  if (is_mutated("make_directory", Mutation::skipped)) return {};
  return done(kernel().make_directory(real(path), permissions));
}
Done remove_directory(const std::string& path) {
  if (is_mutated("remove_directory", Mutation::skipped)) return {};
  return done(kernel().remove_directory(real(path)));
}
Outcome<std::vector<std::string>> names_in(const Descriptor& directory) {
  const auto ask = [&]() -> Outcome<std::vector<std::string>> {
    auto answer = kernel().names(directory.number());
    return {std::move(answer.value), answer.error};
  };
  return looked(is_mutated("names_in", Mutation::remembered), thing("names", directory), ask);
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
  if (is_mutated("try_lock", Mutation::skipped)) return {Locked::yes, 0};
  const auto answer = kernel().lock(file.number(), offset, lock_of(kind));
  return {answer.value ? Locked::yes : Locked::refused, answer.error};
}
Done unlock(const Descriptor& file, std::uint64_t offset) {
  if (is_mutated("unlock", Mutation::skipped)) return {};
  return done(kernel().unlock(file.number(), offset));
}
Outcome<bool> is_locked_elsewhere(const Descriptor& file, std::uint64_t offset, LockKind kind) {
  if (is_mutated("is_locked_elsewhere", Mutation::skipped)) return {false, 0};
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
  const bool is_skipped = address_ == nullptr || is_mutated("unmap", Mutation::skipped);
  if (!is_skipped) kernel().unmap(address_, size_);
  forget();
}
Done Mapping::keep_from_children() const noexcept {
  if (is_mutated("keep_from_children", Mutation::skipped)) return {};
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
  if (!Kernel::is_there()) return;
  kernel().forbid_forks(!is_mutated("no_forks", Mutation::skipped));
}
ForkGuard::~ForkGuard() {
  if (Kernel::is_there()) kernel().allow_forks();
}
void close_in_children(int descriptor) {
  if (is_mutated("close_in_children", Mutation::skipped)) return;
  kernel().close_in_children(descriptor);
}
void forget_descriptor(int descriptor) noexcept {
  kernel().leave_to_children(descriptor);
}

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
Slept slept(bool for_no_reason) {
  return for_no_reason ? Slept::interrupted : Slept::over;
}

}  // namespace

Slept futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept {
  return slept(kernel().wait(&word, expected, time_of(deadline)));
}
void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept {
  if (is_mutated("futex_wake_all", Mutation::skipped)) return;
  kernel().wake_all(&word);
}
Slept futex_wait(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept {
  return slept(kernel().wait(&word, expected, time_of(deadline)));
}
bool futex_wake_one(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  return kernel().wake_one(&word);
}
void futex_wake_all(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  kernel().wake_all(&word);
}
void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept {
  if (is_mutated("futex_add_one_and_wake_all", Mutation::skipped)) return;
  kernel().add_one_and_wake_all(&word);
}
Slept pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept {
  const auto length = std::min<std::chrono::nanoseconds>(span, deadline.remaining());
  kernel().pause_until(kernel().now() + length.count());
  return Slept::over;
}

Slept futex_wait_any(std::span<const ExpectedWord> words, Deadline deadline) noexcept {
  std::vector<Kernel::Expected> expected;
  for (const ExpectedWord& one : words) expected.push_back({one.word, one.expected});
  return slept(kernel().wait_any(expected, time_of(deadline)));
}

// ---- last_word.hpp: no threads here, so nothing is announced, and everybody asks the kernel

bool says_dead(std::uint32_t) noexcept {
  return false;
}
Outcome<LastWord> LastWord::give(RealAtomics::Word<std::uint32_t>&, std::shared_ptr<Work>) {
  return Outcome<LastWord>::failed(ENOSYS);
}
void LastWord::take_back() noexcept {}

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
void call_at_thread_exit(void (*)()) noexcept {}  // processes of one thread
void guard_truncation() noexcept {}
GuardedPages::GuardedPages(const Mapping&) noexcept {}
void GuardedPages::end() noexcept {}

}  // namespace os
}  // namespace kith
