// A modelled kernel's locks, sleep, time and books.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "testkit/explore/internal/kernel_state.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::testkit::explore {

using internal::HeldLock;
using internal::mixed;
using internal::Open;
using internal::Sleeper;

// ---- locks

Answer<bool> Kernel::lock(int descriptor, std::uint64_t byte, Lock kind) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const Open* open = s.open_of(descriptor);
  if (open == nullptr || open->inode == 0) return {false, s.answer(EBADF)};
  const std::uint64_t number = s.descriptors.at(descriptor);
  const bool granted = s.conflict(*open, number, byte, kind) == nullptr;
  if (granted) {
    std::erase_if(s.locks,
                  [&](const HeldLock& lock) { return lock.open == number && lock.byte == byte; });
    s.locks.push_back({open->inode, byte, number, kind});
    s.changed();
    s.inheritance_changed[open->process] = true;
  }
  s.tell((kind == Lock::shared ? "lock shared, byte " : "lock, byte ") + std::to_string(byte) +
         (granted ? "" : ": refused"));
  s.engine->note(granted);
  return {granted, s.answer(0)};
}

int Kernel::unlock(int descriptor, std::uint64_t byte) {
  State& s = *state_;
  static_cast<void>(s.enter());
  if (s.open_of(descriptor) == nullptr) return s.answer(EBADF);
  const std::uint64_t number = s.descriptors.at(descriptor);
  std::erase_if(s.locks,
                [&](const HeldLock& lock) { return lock.open == number && lock.byte == byte; });
  s.tell("unlock, byte " + std::to_string(byte));
  s.changed();
  return s.answer(0);
}

Answer<bool> Kernel::locked_elsewhere(int descriptor, std::uint64_t byte, Lock kind) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const Open* open = s.open_of(descriptor);
  if (open == nullptr || open->inode == 0) return {false, s.answer(EBADF)};
  const bool locked = s.conflict(*open, s.descriptors.at(descriptor), byte, kind) != nullptr;
  s.tell("is byte " + std::to_string(byte) + " locked: " + (locked ? "yes" : "no"));
  s.engine->note(locked);
  return {locked, s.answer(0)};
}

// ---- forks

void Kernel::let_fork(std::uint32_t times) {
  state_->forks_left = times;
}

void Kernel::forbid_forks(bool really) {
  State& s = *state_;
  // Up to here a fork may come: also right before the guard, where an earlier one was left out.
  if (s.engine->in_process()) s.may_fork(s.engine->running());
  s.guards[s.engine->in_process() ? s.engine->running() : kProcessesMax].push_back(really);
}

void Kernel::allow_forks() {
  State& s = *state_;
  s.guards[s.engine->in_process() ? s.engine->running() : kProcessesMax].pop_back();
}

void Kernel::close_in_children(int descriptor) {
  State& s = *state_;
  if (s.engine->in_process()) s.may_fork(s.engine->running());
  s.not_for_children.insert(descriptor);
}

void Kernel::leave_to_children(int descriptor) {
  State& s = *state_;
  s.not_for_children.erase(descriptor);
  if (s.engine->in_process()) s.inheritance_changed[s.engine->running()] = true;
}

int Kernel::keep_from_children(const std::byte* address, std::uint64_t size) {
  State& s = *state_;
  const std::size_t process = s.enter();
  const auto found = std::find_if(s.mappings.rbegin(), s.mappings.rend(), [&](const auto& one) {
    return one.process == process && one.address == address && one.size == size;
  });
  s.tell("keep a mapping from children");
  if (found == s.mappings.rend()) return s.answer(ENOMEM);
  found->for_children = false;
  return s.answer(0);
}

bool Kernel::has_children() const {
  return !state_->of_children.empty();
}

void Kernel::end_children() {
  State& s = *state_;
  const std::vector<std::uint64_t> held = std::move(s.of_children);
  s.of_children.clear();
  for (const std::uint64_t open : held) s.drop(open);
}

// ---- sleep

std::uint32_t Kernel::State::look(const void* word, std::size_t process) {
  std::uint32_t value = 0;
  std::memcpy(&value, word, sizeof value);
  internal::Memory& memory = engine->memory();
  if (!memory.is_weak()) return value;
  // The kernel's look is one like any other, and may not see yet what was stored before somebody
  // looked whether anybody sleeps. Of a larger word, the lower half.
  internal::Location& location = memory.at(word, value);
  const std::size_t older = engine->choose_older(location, std::memory_order_seq_cst);
  value =
      static_cast<std::uint32_t>(memory.load(location, process, std::memory_order_seq_cst, older));
  engine->note(value);
  return value;
}

bool Kernel::wait(const void* word, std::uint32_t expected, std::int64_t until) {
  const Expected one{word, expected};
  return wait_any({&one, 1}, until);
}

bool Kernel::wait_any(std::span<const Expected> words, std::int64_t until) {
  State& s = *state_;
  if (words.size() > kWordsMax) throw std::logic_error("more words than are modelled");
  std::size_t process = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    // One after the other: who is queued on the first may be woken before it has looked at the
    // next.
    process = s.enter();
    const std::uint32_t value = s.look(words[i].word, process);
    s.tell("sleep on " + s.engine->name_of(words[i].word) +
           (value == words[i].value ? "" : ": it has changed"));
    if (value != words[i].value || (until != 0 && until <= s.now)) {
      s.sleepers.erase(process);
      static_cast<void>(s.answer(EAGAIN));
      return false;
    }
    s.sleepers[process].words[i] = words[i].word;
    s.sleepers[process].until = until;
  }
  const bool for_no_reason = s.sleep(process);
  s.engine->note(for_no_reason);
  s.engine->memory().synchronize(process);
  return for_no_reason;
}

void Kernel::State::wake(std::size_t process, const void* word) {
  sleepers.at(process).taken_off(word);
  engine->wake(process);
}

void Kernel::wake_all(const void* word) {
  State& s = *state_;
  static_cast<void>(s.enter());
  s.tell("wake all on " + s.engine->name_of(word));
  for (const auto& [process, sleeper] : s.sleepers) {
    while (sleeper.is_on(word)) s.wake(process, word);
  }
  s.changed();
}

bool Kernel::wake_one(const void* word) {
  State& s = *state_;
  static_cast<void>(s.enter());
  std::vector<std::size_t> asleep;
  for (const auto& [process, sleeper] : s.sleepers) {
    if (sleeper.is_on(word)) asleep.push_back(process);
  }
  s.tell("wake one on " + s.engine->name_of(word) + (asleep.empty() ? ": nobody sleeps" : ""));
  if (asleep.empty()) return false;
  const auto which = s.engine->choose(static_cast<std::uint32_t>(asleep.size()));
  s.wake(asleep[which], word);
  s.engine->may_die_now(asleep[which]);  // and take the wake along
  s.changed();
  return true;
}

void Kernel::add_one_and_wake_all(void* word) {
  State& s = *state_;
  const std::size_t process = s.enter();
  std::uint32_t value = 0;
  std::memcpy(&value, word, sizeof value);
  internal::Memory& memory = s.engine->memory();
  memory.exchange(memory.at(word, value), process, std::memory_order_seq_cst, value + 1);
  ++value;
  std::memcpy(word, &value, sizeof value);
  s.tell("add one to " + s.engine->name_of(word) + " and wake all");
  for (const auto& [who, sleeper] : s.sleepers) {
    while (sleeper.is_on(word)) s.wake(who, word);
  }
  s.changed();
}

void Kernel::pause_until(std::int64_t until) {
  State& s = *state_;
  const std::size_t process = s.enter();
  s.tell("pause");
  if (until <= s.now) return;
  s.sleepers[process].until = until;
  static_cast<void>(s.sleep(process));
}

std::int64_t Kernel::now() {
  State& s = *state_;
  s.engine->note(static_cast<std::uint64_t>(s.now));
  return s.now;
}

void Kernel::end_process(std::size_t process) {
  state_->on_death(process);
}

std::uint64_t Kernel::process_number() {
  const State& s = *state_;
  if (s.engine->in_process()) {
    return (s.engine->running() + 1) * 1000 + s.engine->self().deaths;
  }
  return s.set_up_as < kProcessesMax ? (s.set_up_as + 1) * 1000 : 1;
}

std::uint64_t Kernel::run_number() const {
  return state_->run;
}

std::uint64_t Kernel::random_number() {
  State& s = *state_;
  const std::size_t who = s.engine->in_process() ? s.engine->running() : kProcessesMax;
  return mixed(who + 1, ++s.randoms[who]);
}

// ---- the books

std::vector<std::string> Kernel::names_in(const std::string& path) const {
  std::vector<std::string> names;
  const auto found = state_->directories.find(path);
  if (found == state_->directories.end()) return names;
  for (const auto& [name, inode] : found->second.entries) names.push_back(name);
  return names;
}

std::uint64_t Kernel::number_of(int descriptor) const {
  if (const internal::Inode* inode = state_->inode_of(descriptor)) return inode->number;
  const internal::Directory* directory = state_->directory_of(descriptor);
  return directory == nullptr ? 0 : directory->number;
}

Kernel::File Kernel::file_at(const std::string& path, const std::string& name) const {
  const auto directory = state_->directories.find(path);
  if (directory == state_->directories.end()) return {};
  const auto entry = directory->second.entries.find(name);
  if (entry == directory->second.entries.end()) return {};
  const internal::Inode& inode = state_->inodes.at(entry->second);
  return {inode.number, inode.mode, inode.bytes.get()};
}

bool Kernel::is_directory(const std::string& path) const {
  return state_->directories.contains(path);
}

std::size_t Kernel::locks_held_but_shared(std::uint64_t byte) const {
  return static_cast<std::size_t>(std::count_if(
      state_->locks.begin(), state_->locks.end(),
      [&](const HeldLock& lock) { return lock.byte != byte || lock.kind != Lock::shared; }));
}

std::size_t Kernel::locks_in_children() const {
  const State& s = *state_;
  return static_cast<std::size_t>(std::count_if(
      s.locks.begin(), s.locks.end(),
      [&](const HeldLock& lock) { return s.described_in_children.contains(lock.open); }));
}

std::size_t Kernel::held_by(std::size_t process) const {
  const State& s = *state_;
  const auto descriptors =
      std::count_if(s.descriptors.begin(), s.descriptors.end(),
                    [&](const auto& one) { return s.opens.at(one.second).process == process; });
  const auto mappings =
      std::count_if(s.mappings.begin(), s.mappings.end(),
                    [&](const State::Mapped& one) { return one.process == process; });
  return static_cast<std::size_t>(descriptors + mappings);
}

std::size_t Kernel::locks_held() const {
  return state_->locks.size();
}

std::size_t Kernel::files() const {
  return state_->inodes.size();
}

}  // namespace kith::testkit::explore
