// Two ways to move money between two accounts in shared memory, under the step killer. The first
// changes them in place; the second writes both anew and then publishes them by one store.

#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "testkit/step_killer.hpp"

namespace {

using namespace kith::testkit;
const std::filesystem::path kFile = "/dev/shm/kith_testkit_example";

struct Accounts {
  std::atomic<int> mine;
  std::atomic<int> yours;
};

struct Bank {
  std::atomic<std::uint32_t> current;  // which of the two pages counts
  Accounts page[2];
};

Bank* bank = nullptr;  // each role is a process of its own and opens the file for itself

void open_bank() {
  const int file = ::open(kFile.c_str(), O_RDWR | O_CREAT, 0600);
  if (::ftruncate(file, sizeof(Bank)) != 0) throw std::runtime_error("no room for the bank");
  bank = static_cast<Bank*>(
      ::mmap(nullptr, sizeof(Bank), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  ::close(file);
}

void move_in_place(int amount) {
  Accounts& now = bank->page[0];
  // seq_cst, the strongest there is: no order makes two steps one.
  now.mine.fetch_sub(amount, std::memory_order_seq_cst);
  now.yours.fetch_add(amount, std::memory_order_seq_cst);
}

void move_on_another_page(int amount) {
  // relaxed: this process is the only writer.
  const std::uint32_t now = bank->current.load(std::memory_order_relaxed);
  const Accounts& old = bank->page[now];
  Accounts& next = bank->page[1 - now];
  next.mine.store(old.mine.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  next.yours.store(old.yours.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  // release: whoever sees the new page number sees the page.
  bank->current.store(1 - now, std::memory_order_release);
}

std::string count_the_money() {
  open_bank();
  // acquire: pairs with the release above.
  const Accounts& now = bank->page[bank->current.load(std::memory_order_acquire)];
  // relaxed: nobody writes while we count.
  const int sum =
      now.mine.load(std::memory_order_relaxed) + now.yours.load(std::memory_order_relaxed);
  return sum == 100 ? "" : "there are " + std::to_string(sum) + " coins instead of 100";
}

Subject transfer(const char* name, void (*move)(int)) {
  Subject subject;
  subject.name = name;
  subject.prepare = [] {
    open_bank();
    bank->page[0].mine.store(100, std::memory_order_relaxed);  // nobody else is there yet
  };
  subject.before = open_bank;
  subject.operation = [move] { move(30); };
  subject.survivor = count_the_money;
  subject.clean_up = [] { std::filesystem::remove(kFile); };
  subject.watched = {kFile};
  return subject;
}

}  // namespace

int main() {
  if (const std::string reason = why_refused(); !reason.empty()) {
    std::cout << reason << "\n";
    return 0;
  }
  std::vector<Report> reports;
  reports.push_back(kill_every_step(transfer("move in place", move_in_place)));
  reports.push_back(kill_every_step(transfer("move on another page", move_on_another_page)));
  std::cout << table(reports);
  // The first is the bug that is meant to be found.
  return !reports[0].fine() && reports[1].fine() ? 0 : 1;
}
