// Guests who do their worst: whatever a process of a guest's rights does to the files of a channel,
// its members write, read, restart, make and remove channels as if it were not there.
// Method: one hostile process does all of it at once, without end, while members and an honest
// guest work. A hang ends a process by its deadline and fails the test; nothing is timed.
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <vector>

#include "kith/inspect/inspect.hpp"
#include "kith/region/region.hpp"

#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;
using namespace std::chrono_literals;

constexpr off_t kSeatsBytes = 4096 + 4096;  // of a file of four seats: header and content

// Every lock that the kernel gives, on every byte that has one: for writing on the seats, for
// reading on the data. Held by the open file until the process ends.
void lock_all(int file, short kind) {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_len = off_t{1} << 62;
  (void)::fcntl(file, F_OFD_SETLK, &lock);  // what others hold stays theirs; tried again
  lock.l_len = 1;
  for (const off_t group : {off_t{1} << 50, off_t{1} << 51}) {
    for (off_t byte = 0; byte < 8; ++byte) {
      lock.l_start = group + byte;
      (void)::fcntl(file, F_OFD_SETLK, &lock);
    }
  }
}

class Vandal {
 public:
  explicit Vandal(std::string directory) : directory_(std::move(directory)) {}

  // Returns what it is able to write: nothing means that it found no file to spoil.
  int spoil_all(bool lengths_too) {
    int files = 0;
    DIR* folder = ::opendir(directory_.c_str());
    while (const dirent* entry = ::readdir(folder)) {
      const std::string path = directory_ + "/" + entry->d_name;
      if (const int file = ::open(path.c_str(), O_RDWR | O_NOFOLLOW); file >= 0) {
        lock_all(file, F_WRLCK);
        spoil(file, lengths_too);
        keep(file);
        ++files;
      } else if (const int data = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW); data >= 0) {
        lock_all(data, F_RDLCK);
        keep(data);
      }
    }
    ::closedir(folder);
    return files;
  }

 private:
  void spoil(int file, bool lengths_too) {
    std::array<std::uint64_t, 1024> bytes{};
    for (std::uint64_t& word : bytes) word = random_word();
    (void)!::pwrite(file, bytes.data(), kSeatsBytes, 0);
    // Joined bits for all, so that every claim is looked at.
    const std::uint64_t all = ~std::uint64_t{0};
    (void)!::pwrite(file, &all, sizeof all, 4096);
    if (!lengths_too) return;
    switch (random_() % 4) {
      case 0:
        (void)!::ftruncate(file, 0);
        break;
      case 1:
        (void)!::ftruncate(file, 4096);
        break;
      case 2:
        (void)!::ftruncate(file, off_t{1} << 40);
        break;
      default:
        (void)!::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kSeatsBytes);
        break;
    }
    if (random_() % 2 == 0) (void)!::ftruncate(file, kSeatsBytes);
  }

  // Nonsense, and words that make sense: claims on any slot, requests, tentative notes.
  std::uint64_t random_word() { return random_() % 2 == 0 ? random_() : random_() % 64; }

  // A few hundred opens hold their locks at once.
  void keep(int file) {
    kept_.push_back(file);
    if (kept_.size() < 300) return;
    ::close(kept_.front());
    kept_.erase(kept_.begin());
  }

  std::string directory_;
  std::mt19937_64 random_{20261121};
  std::vector<int> kept_;
};

class HostileGuestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    KITH_NEEDS_SEVERAL_USERS();
    Process writer = spawn_writer();
    ASSERT_EQ(stop(writer), "");
  }

  [[nodiscard]] Domain domain() const { return folder_.domain_of(shared_with_guests()); }
  [[nodiscard]] static LatestOptions options() {
    LatestOptions options;
    options.rights = for_guests();
    options.guests_max = 4;
    options.deadline = Deadline::after(20s);
    return options;
  }

  // Writes at full speed until told to stop.
  Process spawn_writer() const {
    Process writer = as_user("writer", kAlice, kGroup, [this](Mouth& test) -> std::string {
      LatestWriter<Whole> pose(domain(), "pose", options());
      const std::uint64_t before = pose.sequence();
      if (before > 0 && !pose.last()->is(before)) return "the last value is not whole";
      if (!write_next(pose)) return "cannot write at once";
      test.say("writes");
      while (!test.hear(testkit::within(0ns))) {
        for (int i = 0; i < 500; ++i) {
          if (!write_next(pose)) return "a write was refused";
        }
      }
      return "";
    });
    EXPECT_EQ(writer.expect("writes", soon()), "");
    return writer;
  }
  Process spawn_vandal(bool lengths_too) const {
    Process vandal =
        as_user("vandal", kBob, kGroup, [this, lengths_too](Mouth& test) -> std::string {
          Vandal self(folder_.domain_path());
          const int files = self.spoil_all(lengths_too);
          test.say(files > 0 ? "at work" : "found nothing to spoil");
          while (!test.hear(testkit::within(0ns))) self.spoil_all(lengths_too);
          return "";
        });
    EXPECT_EQ(vandal.expect("at work", soon()), "");
    return vandal;
  }
  // A member who reads whole values in order until told to stop.
  Process spawn_reader() const {
    Process reader = as_user("reader", kAlice, kGroup, [this](Mouth& test) -> std::string {
      LatestReader<Whole> pose(domain(), "pose");
      std::uint64_t last = 0;
      test.say("reads");
      while (!test.hear(testkit::within(0ns))) {
        if (pose.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return "nothing newer";
        const auto value = pose.acquire();
        if (!value) return "a member could not read";
        if (!value->is(value.sequence())) return "a member read a torn value";
        if (value.sequence() <= last) return "a member went back";
        last = value.sequence();
      }
      return "";
    });
    EXPECT_EQ(reader.expect("reads", soon()), "");
    return reader;
  }
  // One who makes, uses and removes channels in the same domain.
  Process spawn_churner() const {
    return as_user("churner", kAlice, kGroup, [this](Mouth& test) -> std::string {
      int rounds = 0;
      for (; !test.hear(testkit::within(0ns)); ++rounds) {
        LatestWriter<Whole> other(domain(), "other", options());
        if (!write_next(other)) return "cannot write";
        LatestReader<Whole> reader(domain(), "other");
        if (!reader.acquire()) return "cannot read";
        if (!latest_facts(domain(), "other")) return "cannot look";
        if (remove_object(domain(), "other", Force::yes) != Removal::removed) return "not removed";
      }
      return rounds > 3 ? "" : "only " + std::to_string(rounds) + " channels were made";
    });
  }
  // A guest of good will, who may be refused and misled by the vandal, and nothing worse.
  Process spawn_fellow() const {
    return as_user("fellow", kBob, kGroup, [this](Mouth& test) -> std::string {
      while (!test.hear(testkit::within(0ns))) {
        try {
          LatestOptions none;
          LatestReader<Whole> pose(domain(), "pose", none);
          Whole copy;
          for (int i = 0; i < 200; ++i) (void)pose.read_copy(copy);
          (void)pose.wait_newer(Deadline::after(1ms));
          (void)pose.writer_liveness();
        } catch (const Error&) {
          // Refused: the vandal sits on every seat.
        }
      }
      return "";
    });
  }

  static std::string stop(Process& process) {
    process.tell("stop");
    return process.finish(soon()).text();
  }
  [[nodiscard]] std::string as_member(Process::Role role) const {
    return try_as(kAlice, kGroup, std::move(role));
  }

  // The whole of it, with ten deaths of the writer.
  void let_all_loose(bool lengths_too) {
    Process vandal = spawn_vandal(lengths_too);
    std::vector<Process> members;
    members.push_back(spawn_reader());
    members.push_back(spawn_reader());
    members.push_back(spawn_churner());
    members.push_back(spawn_fellow());
    for (int life = 0; life < 10; ++life) {
      Process writer = spawn_writer();
      // A reader joins and leaves in between, which looks at seats as well.
      EXPECT_EQ(as_member([this](Mouth&) -> std::string {
                  LatestReader<Whole> pose(domain(), "pose");
                  const auto value = pose.acquire();
                  return value && value->is(value.sequence()) ? "" : "a newcomer cannot read";
                }),
                "");
      writer.kill();
    }
    Process writer = spawn_writer();
    for (Process& member : members) EXPECT_EQ(stop(member), "");
    EXPECT_EQ(stop(writer), "");
    EXPECT_EQ(as_member([this](Mouth&) -> std::string {
                const auto facts = latest_facts(domain(), "pose");
                if (!facts || facts->sequence < 1000) return "the books do not tell";
                (void)clean_domain(domain(), Roles::drop_vacant);
                return remove_object(domain(), "pose", Force::yes) == Removal::removed
                           ? ""
                           : "it cannot be removed by force";
              }),
              "");
    EXPECT_EQ(stop(vandal), "");
    EXPECT_EQ(files_in(folder_.domain_path()), std::vector<std::string>{});
  }

  SharedFolder folder_;
};

TEST_F(HostileGuestTest, WhoScribblesAndLocksDisturbsNoMember) {
  let_all_loose(false);
}

TEST_F(HostileGuestTest, WhoCutsFilesShortDisturbsNoMember) {
  let_all_loose(true);
}

// The numbers in the seats' header were once believed: a small file that claims to be of many.
TEST_F(HostileGuestTest, WhoForgesTheHeaderLeadsNobodyAstray) {
  Process bob = as_user("bob", kBob, kGroup, [this](Mouth& test) -> std::string {
    Vandal vandal(folder_.domain_path());
    if (vandal.spoil_all(false) != 1) return "there is not one file to spoil";
    for (const std::string& name : files_in(folder_.domain_path())) {
      if (!name.ends_with(".seats")) continue;
      const std::string path = folder_.domain_path() + "/" + name;
      if (::truncate(path.c_str(), 0) != 0) return "cannot truncate";
    }
    test.say("spoiled");
    test.await("end", soon());
    return "";
  });
  ASSERT_EQ(bob.expect("spoiled", soon()), "");
  EXPECT_EQ(as_member([this](Mouth&) -> std::string {
              LatestWriter<Whole> pose(domain(), "pose");
              for (int i = 0; i < 100; ++i) {
                if (!write_next(pose)) return "cannot write";
              }
              if (!latest_facts(domain(), "pose")) return "cannot look";
              return remove_object(domain(), "pose") == Removal::in_use ? "" : "taken away unasked";
            }),
            "");
  bob.tell("end");
  EXPECT_EQ(bob.finish(soon()).text(), "");
  EXPECT_EQ(as_member([this](Mouth&) -> std::string {
              // Nobody attached any more: what is left of the seats is in nobody's way.
              return remove_object(domain(), "pose") == Removal::removed ? "" : "not removed";
            }),
            "");
}

// Sits on every seat and holds one message with each: what guests can cost at most.
TEST_F(HostileGuestTest, WhoPinsAllItCanKeepsNoSlotFromTheWriter) {
  Process writer = spawn_writer();
  Process bob = as_user("bob", kBob, kGroup, [this](Mouth& test) -> std::string {
    std::vector<std::unique_ptr<LatestReader<Whole>>> readers;
    std::vector<Pinned<Whole>> pinned;
    for (int i = 0; i < 4; ++i) {
      readers.push_back(std::make_unique<LatestReader<Whole>>(domain(), "pose"));
      (void)readers.back()->wait_newer(Deadline::after(20s));
      pinned.push_back(readers.back()->acquire());
    }
    test.say("pins four");
    test.await("end", soon());
    for (const auto& value : pinned) {
      if (!value->is(value.sequence())) return "what was pinned changed";
    }
    return "";
  });
  ASSERT_EQ(bob.expect("pins four", soon()), "");
  Process reader = spawn_reader();
  EXPECT_EQ(stop(reader), "");
  bob.tell("end");
  EXPECT_EQ(bob.finish(soon()).text(), "");
  EXPECT_EQ(stop(writer), "");
}

}  // namespace
}  // namespace kith
