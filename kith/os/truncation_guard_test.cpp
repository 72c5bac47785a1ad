// The guard against lost pages: zeros instead of a signal, told to whoever asks, and nobody else's
// signal taken. Method: files on tmpfs are cut short under mappings, each case in a process of its
// own, because a handler stays.
#include "kith/os/truncation_guard.hpp"

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "kith/base/atomics.hpp"
#include "kith/os/file.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::os {
namespace {

using tests::Child;

constexpr std::size_t kPage = 4096;

// A file of two pages of ones, mapped.
struct Mapped {
  explicit Mapped(const Descriptor& directory) {
    file = std::move(create_unnamed(directory).value);
    static_cast<void>(set_size(file, 2 * kPage));
    mapping = std::move(Mapping::of_file(file, 2 * kPage, Access::read_write).value);
    std::fill_n(mapping.data(), 2 * kPage, std::byte{1});
  }
  void cut_short(std::size_t size) { static_cast<void>(set_size(file, size)); }
  // What a program does: touches the memory.
  [[nodiscard]] int at(std::size_t offset) const {
    return load_once(*reinterpret_cast<const unsigned char*>(mapping.data() + offset));
  }
  void set(std::size_t offset, unsigned char value) const {
    // relaxed: only to be a store that really happens.
    std::atomic_ref(*reinterpret_cast<unsigned char*>(mapping.data() + offset))
        .store(value, std::memory_order_relaxed);
  }

  Descriptor file;
  Mapping mapping;
};

// 0, or the number of the first line that is not so.
#define REQUIRE(fact) \
  if (!(fact)) return __LINE__ % 90 + 1

class TruncationGuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    struct rlimit none {};
    ::setrlimit(RLIMIT_CORE, &none);  // some of them are to die of a signal
  }
  tests::ScratchDirectory scratch_;
};

TEST_F(TruncationGuardTest, LostPagesReadAsZerosAndAreTold) {
  Child child([&] {
    guard_truncation();
    Mapped it(scratch_.open());
    const GuardedPages pages(it.mapping);
    REQUIRE(it.at(kPage) == 1 && !pages.lost());
    it.cut_short(kPage);
    REQUIRE(it.at(0) == 1 && !pages.lost());  // still there
    REQUIRE(it.at(kPage + 7) == 0 && pages.lost());
    it.set(kPage + 7, 5);  // may be written: for this process alone
    REQUIRE(it.at(kPage + 7) == 5);
    it.cut_short(0);
    it.set(3, 9);  // lost at a write
    REQUIRE(it.at(3) == 9 && it.at(4) == 0);
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(TruncationGuardTest, WithoutItOrOutsideOfItTheProcessEnds) {
  Child without([&] {
    std::signal(SIGBUS, SIG_DFL);  // a sanitizer has one of its own
    const Mapped it(scratch_.open());
    const GuardedPages pages(it.mapping);
    static_cast<void>(set_size(it.file, 0));
    return it.at(0);
  });
  EXPECT_EQ(without.wait(), -SIGBUS);
  Child outside([&] {
    std::signal(SIGBUS, SIG_DFL);  // a sanitizer has one of its own
    guard_truncation();
    const Mapped noted(scratch_.open());
    const Mapped other(scratch_.open());
    GuardedPages pages(noted.mapping);
    static_cast<void>(set_size(other.file, 0));
    return other.at(0);
  });
  EXPECT_EQ(outside.wait(), -SIGBUS);
  Child ended([&] {
    std::signal(SIGBUS, SIG_DFL);  // a sanitizer has one of its own
    guard_truncation();
    const Mapped it(scratch_.open());
    { const GuardedPages pages(it.mapping); }
    static_cast<void>(set_size(it.file, 0));
    return it.at(0);
  });
  EXPECT_EQ(ended.wait(), -SIGBUS);
}

TEST_F(TruncationGuardTest, ASignalThatAProcessSentEndsTheProcess) {
  Child child([&] {
    std::signal(SIGBUS, SIG_DFL);
    guard_truncation();
    ::kill(::getpid(), SIGBUS);
    return 0;
  });
  EXPECT_EQ(child.wait(), -SIGBUS);
}

std::atomic<int> heard{0};

TEST_F(TruncationGuardTest, WhatIsNotOursGoesToTheHandlerThatWasThere) {
  Child plain([&] {
    std::signal(SIGBUS, [](int) { ++heard; });
    guard_truncation();
    ::raise(SIGBUS);
    REQUIRE(heard == 1);
    Mapped it(scratch_.open());
    const GuardedPages pages(it.mapping);
    it.cut_short(0);
    REQUIRE(it.at(0) == 0 && pages.lost() && heard == 1);
    ::raise(SIGBUS);
    REQUIRE(heard == 2);
    return 0;
  });
  EXPECT_EQ(plain.wait(), 0);
  Child informed([&] {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) { heard = info->si_pid; };
    ::sigaction(SIGBUS, &action, nullptr);
    guard_truncation();
    ::kill(::getpid(), SIGBUS);
    REQUIRE(heard == ::getpid());
    return 0;
  });
  EXPECT_EQ(informed.wait(), 0);
}

TEST_F(TruncationGuardTest, WorksInAForkedChildAndLeavesTheParentAlone) {
  Child child([&] {
    guard_truncation();
    Mapped it(scratch_.open());
    const GuardedPages pages(it.mapping);
    Child grandchild([&] {
      it.cut_short(0);
      REQUIRE(it.at(0) == 0 && pages.lost());
      it.set(0, 7);
      return 0;
    });
    REQUIRE(grandchild.wait() == 0);
    REQUIRE(!pages.lost());  // nothing was touched here
    REQUIRE(it.at(0) == 0 && pages.lost());
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(TruncationGuardTest, KnowsManyMappingsAndWhichOfThemLostPages) {
  Child child([&] {
    guard_truncation();
    const auto directory = scratch_.open();
    std::vector<Mapped> all;
    std::vector<GuardedPages> pages;
    for (int i = 0; i < 700; ++i) {
      all.emplace_back(directory);
      pages.emplace_back(all.back().mapping);
      all.back().file.close();
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      REQUIRE(all[i].at(0) == 1 && !pages[i].lost());
    }
    Mapped last(directory);
    const GuardedPages noted(last.mapping);
    last.cut_short(0);
    REQUIRE(last.at(0) == 0 && noted.lost());
    for (const GuardedPages& other : pages) REQUIRE(!other.lost());
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(TruncationGuardTest, ANoteThatIsUsedAgainBeginsAnew) {
  Child child([&] {
    guard_truncation();
    const auto directory = scratch_.open();
    for (int round = 0; round < 600; ++round) {  // more than there are notes in a chunk
      Mapped it(directory);
      GuardedPages first(it.mapping);
      GuardedPages pages(std::move(first));
      REQUIRE(!pages.lost() && !first.lost());
      if (round % 2 == 0) continue;
      it.cut_short(0);
      REQUIRE(it.at(kPage) == 0 && pages.lost());
    }
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace kith::os
