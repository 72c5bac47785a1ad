#include "kith/os/last_word.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kith/os/futex.hpp"

namespace kith::os {

// What the kernel reads when the thread ends: a ring of one node, or of none.
struct LastWord::List {
  robust_list_head head{};
  robust_list node{};
  std::shared_ptr<Work> work;
  RealAtomics::Word<std::uint32_t>* word = nullptr;
  std::atomic<std::uint32_t> begun{0};  // 1: the word is given
  std::atomic<int> users{2};            // the thread and the handle
  List* left_behind = nullptr;
};

namespace {

void* run_thread(void* argument) {
  auto* list = static_cast<LastWord::List*>(argument);
  const long tid = ::syscall(SYS_gettid);
  // glibc's own list for this thread is given up: nothing here locks a robust pthread mutex.
  if (::syscall(SYS_set_robust_list, &list->head, sizeof list->head) == 0) {
    // The bit asks the kernel to wake whoever sleeps on it. release: the list is in order.
    list->word->store(static_cast<std::uint32_t>(tid) | FUTEX_WAITERS, std::memory_order_release);
  }
  list->begun.store(1, std::memory_order_release);
  list->begun.notify_all();
  list->work->run();
  list->work.reset();
  if (list->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    // The kernel must not look at it any more when this thread ends.
    ::syscall(SYS_set_robust_list, nullptr, sizeof list->head);
    delete list;
  }
  return nullptr;
}

// All that others send. What an instruction of the thread raises ends the process if it is blocked,
// whoever handles it: guard_truncation() does.
sigset_t signals_to_block() noexcept {
  sigset_t signals;
  ::sigfillset(&signals);
  for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
    ::sigdelset(&signals, own);
  }
  return signals;
}

Done start(LastWord::List* list) noexcept {
  const sigset_t blocked = signals_to_block();
  sigset_t before;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  ::pthread_sigmask(SIG_SETMASK, &blocked,
                    &before);  // inherited: no handler of the user's runs there
  const int error = ::pthread_create(&thread, &attributes, &run_thread, list);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return Done{error};
}

}  // namespace

bool says_dead(std::uint32_t word) noexcept {
  return (word & FUTEX_OWNER_DIED) != 0;
}

Outcome<LastWord> LastWord::give(RealAtomics::Word<std::uint32_t>& word,
                                 std::shared_ptr<Work> work) {
  auto* list = new List;
  list->word = &word;
  list->work = std::move(work);
  list->head.list.next = &list->node;
  list->node.next = &list->head.list;
  list->head.futex_offset =
      reinterpret_cast<std::intptr_t>(&word) - reinterpret_cast<std::intptr_t>(&list->node);
  if (const Done started = start(list); !started) {
    delete list;
    return Outcome<LastWord>::failed(started.error);
  }
  list->begun.wait(0, std::memory_order_acquire);
  Outcome<LastWord> given;
  given.value.list_ = list;
  given.value.word_ = &word;
  return given;
}

void LastWord::take_back() noexcept {
  if (list_ == nullptr) return;
  // Read by the kernel at the thread's end only: from here on it finds nothing to announce.
  std::atomic_ref(list_->head.list.next).store(&list_->head.list, std::memory_order_seq_cst);
  word_->store(0, std::memory_order_release);
  List* list = std::exchange(list_, nullptr);
  if (list->users.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // Its thread is ending, and the kernel may look at the list yet: it stays for good.
  static std::atomic<List*> left{nullptr};
  list->left_behind = left.exchange(list, std::memory_order_relaxed);
}

}  // namespace kith::os
