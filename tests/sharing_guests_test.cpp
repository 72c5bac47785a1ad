// A channel with guests: they read, in every way a reader may, and can write nothing but their
// seats. Method: the writer and the guests are processes of different unprivileged users.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "kith/inspect/inspect.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/region.hpp"

#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;
using namespace std::chrono_literals;

LatestOptions guests(std::uint32_t seats = 4) {
  LatestOptions options;
  options.rights = for_guests();
  options.guests_max = seats;
  options.commit_time = true;
  return options;
}

LatestOptions named(const std::string& role, Deadline deadline = Deadline::now()) {
  LatestOptions options;
  options.role = role;
  options.deadline = deadline;
  return options;
}

class GuestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    KITH_NEEDS_SEVERAL_USERS();
    ASSERT_EQ(try_as(kAlice, kGroup,
                     [&](Mouth&) -> std::string {
                       (void)folder_.domain_of(shared_with_guests()).open_or_create();
                       return "";
                     }),
              "");
  }
  [[nodiscard]] Domain domain() const { return folder_.domain_of(shared_with_guests()); }
  [[nodiscard]] std::string satellite(const std::string& what) const {
    const auto facts = os::facts_of_path(folder_.domain_path() + "/pose");
    return folder_.domain_path() + "/." + std::to_string(facts.value.identity.inode) + "." + what;
  }
  // Writes a value for each word "write", answering "wrote"; ends with "end".
  Process alice(std::uint32_t seats = 4) const {
    Process writer = as_user("alice", kAlice, kGroup, [this, seats](Mouth& test) -> std::string {
      LatestWriter<Whole> pose(domain(), "pose", guests(seats));
      if (!write_next(pose)) return "she cannot write";
      test.say("ready");
      for (;;) {
        const auto word = test.hear(soon());
        if (!word) return "nobody ended her";
        if (*word == "end") return "";
        if (!write_next(pose)) return "she cannot write on";
        test.say("wrote");
      }
    });
    EXPECT_EQ(writer.expect("ready", soon()), "");
    return writer;
  }
  static std::string write_on(Process& writer) {
    writer.tell("write");
    return writer.expect("wrote", soon());
  }
  static std::string end(Process& writer) {
    writer.tell("end");
    return writer.finish(soon()).text();
  }
  // A guest's role to its end.
  std::string as_guest(Process::Role role) const { return try_as(kBob, kGroup, std::move(role)); }

  SharedFolder folder_;
};

TEST_F(GuestsTest, HaveFilesOfTheirOwnAndNoMore) {
  Process writer = alice();
  EXPECT_EQ(look_at_file(folder_.domain_path()), (FileLook{0750, kAlice, kGroup}));
  EXPECT_EQ(look_at_file(folder_.domain_path() + "/pose").mode, 0600u);
  EXPECT_EQ(look_at_file(folder_.domain_path() + "/.members").mode, 0600u);
  EXPECT_EQ(look_at_file(satellite("data")), (FileLook{0640, kAlice, kGroup}));
  EXPECT_EQ(look_at_file(satellite("seats")), (FileLook{0660, kAlice, kGroup}));
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, ReadInEveryWayAReaderMay) {
  Process writer = alice();
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose");
    if (reader.writer_liveness() != Liveness::alive) return "the writer is not alive";
    {
      auto value = reader.acquire();
      if (!value || !value->is(1) || value.sequence() != 1) return "the value is not whole";
      if (!value.commit_time()) return "there is no commit time";
      if (*value.commit_time() > std::chrono::steady_clock::now()) return "it lies ahead";
      if (value.refresh() != ReadAnswer::unchanged) return "it changed";
      test.say("wait for 2");
      test.await("written", soon());
      if (!value->is(1)) return "the pinned value changed";
      if (value.refresh() != ReadAnswer::value || !value->is(2)) return "2 is not seen";
    }
    if (reader.wait_newer(Deadline::after(1ms)) != WaitAnswer::timed_out) return "did not time out";
    test.say("wait for 3");
    if (reader.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return "3 is not seen";
    Whole copy;
    if (reader.read_copy(copy) != ReadAnswer::value || !copy.is(3)) return "3 cannot be copied";
    if (reader.has_newer() || reader.is_orphaned()) return "there is nothing newer";
    return "";
  });
  EXPECT_EQ(bob.expect("wait for 2", soon()), "");
  EXPECT_EQ(write_on(writer), "");
  bob.tell("written");
  EXPECT_EQ(bob.expect("wait for 3", soon()), "");
  EXPECT_EQ(write_on(writer), "");
  EXPECT_EQ(bob.finish(soon()).text(), "");
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, KeepANamedRoleAndWhatItHeldBeyondDeath) {
  Process writer = alice();
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose", named("logger"));
    const auto value = reader.acquire();
    test.say(value && value->is(1) ? "holds 1" : "holds nothing");
    test.await("never", soon());
    return "was not killed";
  });
  ASSERT_EQ(bob.expect("holds 1", soon()), "");
  EXPECT_EQ(as_guest([&](Mouth&) {
              return why_not_refused(
                  [&] { LatestReader<Whole> second(domain(), "pose", named("logger")); },
                  Errc::role_taken, {"guest of latest 'pose'", "'logger'", "a guest on seat 0"});
            }),
            "");
  bob.kill();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(write_on(writer), "");
  EXPECT_EQ(as_guest([&](Mouth&) -> std::string {
              LatestReader<Whole> reader(domain(), "pose", named("logger", Deadline::after(20s)),
                                         Inherited::resume);
              auto value = reader.resume();
              if (!value || !value->is(1)) return "what the dead one held is lost";
              if (value.refresh() != ReadAnswer::value || !value->is(21)) return "cannot go on";
              return "";
            }),
            "");
  EXPECT_EQ(end(writer), "");
}

// All that a program of a guest's rights can try on the files, by the ways the kernel has.
TEST_F(GuestsTest, CannotWriteTheData) {
  Process writer = alice();
  EXPECT_EQ(
      as_guest([&](Mouth&) -> std::string {
        LatestReader<Whole> reader(domain(), "pose");
        const auto value = reader.acquire();
        const std::string data = satellite("data");
        const std::string own = folder_.domain_path() + "/pose";
        if (::open(own.c_str(), O_RDONLY) >= 0) return "opened the channel's own file";
        if (::open(data.c_str(), O_RDWR) >= 0) return "opened the data for writing";
        if (::truncate(data.c_str(), 0) == 0) return "cut the data short";
        if (::chmod(data.c_str(), 0666) == 0) return "changed the mode";
        if (::unlink(data.c_str()) == 0) return "removed the data";
        if (::open((folder_.domain_path() + "/mine").c_str(), O_RDWR | O_CREAT, 0600) >= 0) {
          return "made a file in the domain";
        }
        const int file = ::open(data.c_str(), O_RDONLY);
        if (file < 0) return "cannot read the data";
        const std::string again = "/proc/self/fd/" + std::to_string(file);
        if (::open(again.c_str(), O_RDWR) >= 0) return "opened the data again for writing";
        if (::fchmod(file, 0666) == 0) return "changed the mode through the descriptor";
        if (::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0) {
          return "punched a hole";
        }
        if (::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) != MAP_FAILED) {
          return "mapped the data for writing";
        }
        // The mapping that the library itself made.
        const auto page = reinterpret_cast<std::uintptr_t>(&*value) / 4096 * 4096;
        if (::mprotect(reinterpret_cast<void*>(page), 4096, PROT_READ | PROT_WRITE) == 0) {
          return "made the library's mapping writable";
        }
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_len = 1;
        if (::fcntl(file, F_OFD_SETLK, &lock) == 0) return "locked the data for writing";
        return why_not_refused([&] { LatestWriter<Whole> forger(domain(), "pose"); },
                               Errc::permission_denied, {"'pose'", "0640 to read"}) +
               why_not_refused([&] { (void)remove_object(domain(), "pose", Force::yes); },
                               Errc::permission_denied, {"'pose'"});
      }),
      "");
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, AreRefusedWhenAllSeatsAreTakenAndGetThemBackFromTheDead) {
  Process writer = alice(2);
  const auto sits = [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose");
    const auto value = reader.acquire();
    test.say(value ? "sits" : "reads nothing");
    test.await("never", soon());
    return "was not killed";
  };
  Process first = as_user("first", kBob, kGroup, sits);
  Process second = as_user("second", kBob, kGroup, sits);
  ASSERT_EQ(first.expect("sits", soon()), "");
  ASSERT_EQ(second.expect("sits", soon()), "");
  const auto comes = [&](Mouth&) {
    return why_not_refused([&] { LatestReader<Whole> reader(domain(), "pose"); }, Errc::table_full,
                           {"guest of latest 'pose'", "2 living holders"});
  };
  EXPECT_EQ(as_guest(comes), "");
  first.kill();
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     (void)clean_domain(domain(), Roles::keep);
                     const auto facts = latest_facts(domain(), "pose");
                     if (!facts) return "cannot look";
                     return facts->guests_held == 1 ? "" : "cleaning left the dead one's seat";
                   }),
            "");
  const auto reads = [&](Mouth&) -> std::string {
    LatestReader<Whole> reader(domain(), "pose");
    return reader.acquire()->is(1) ? "" : "cannot read";
  };
  EXPECT_EQ(as_guest(reads), "");
  EXPECT_EQ(as_guest(reads), "");  // the first of them gave the seat back
  // A member needs no seat.
  EXPECT_EQ(try_as(kAlice, kGroup, reads), "");
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, LeaveTheirSeatsToTheParentWhenTheyFork) {
  Process writer = alice(1);
  const auto forks = [&](Mouth&) -> std::string {
    std::optional<LatestReader<Whole>> reader(std::in_place, domain(), "pose");
    std::optional<Pinned<Whole>> value(reader->acquire());
    Child child([&] {
      if (value->refresh() != ReadAnswer::forked) return 1;
      if (reader->acquire().answer() != ReadAnswer::forked) return 2;
      value.reset();
      reader.reset();
      // The only seat is the parent's.
      const int refused = code_of([&] { LatestReader<Whole> own(domain(), "pose"); });
      return refused == static_cast<int>(Errc::role_taken) ? 0 : 3;
    });
    if (const int wrong = child.wait(); wrong != 0) return "the child: " + std::to_string(wrong);
    const bool unchanged = value->refresh() == ReadAnswer::unchanged && (*value)->is(1);
    return unchanged ? "" : "the parent lost what it held";
  };
  EXPECT_EQ(as_guest(forks), "");
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, WaitForAChannelThatIsNotThereYet) {
  const auto waits = [&](Deadline deadline, Errc code) {
    return [=, this](Mouth&) {
      LatestOptions options;
      options.deadline = deadline;
      return why_not_refused([&] { LatestReader<Whole> reader(domain(), "pose", options); }, code,
                             {"latest 'pose' in", "start the program that creates it"});
    };
  };
  EXPECT_EQ(as_guest(waits(Deadline::now(), Errc::not_found)), "");
  EXPECT_EQ(as_guest(waits(Deadline::after(20ms), Errc::timed_out)), "");
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    test.say("comes");
    LatestReader<Whole> reader(domain(), "pose", named("", Deadline::after(20s)));
    if (reader.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return "nothing came";
    return reader.acquire()->is(1) ? "" : "cannot read";
  });
  ASSERT_EQ(bob.expect("comes", soon()), "");
  Process writer = alice();
  EXPECT_EQ(bob.finish(soon()).text(), "");
  EXPECT_EQ(end(writer), "");
}

// In a folder that everybody may write, a stranger may come first. A guest that names the owner
// neither makes the domain nor believes another user's.
TEST_F(GuestsTest, WaitForTheOwnerTheyNameAndBelieveNoOther) {
  Rights rights = shared_with_guests();
  rights.owner = std::to_string(kAlice);
  const Domain owned = Domain::at(folder_.path() + "/owned", {.rights = rights});
  const auto comes_early = [&](Mouth&) -> std::string {
    LatestOptions options;
    options.deadline = Deadline::after(20ms);
    const std::string wrong =
        why_not_refused([&] { LatestReader<Whole> reader(owned, "pose", options); },
                        Errc::timed_out, {"latest 'pose' in", "start the program"});
    if (!wrong.empty()) return wrong;
    return owned.exists() ? "he made the domain" : "";
  };
  EXPECT_EQ(as_guest(comes_early), "");
  const auto writes_once = [&](Rights as) {
    return [&, as](Mouth&) -> std::string {
      LatestWriter<Whole> pose(Domain::at(owned.path(), {.rights = as}), "pose", guests());
      return write_next(pose) ? "" : "cannot write";
    };
  };
  Rights strangers = rights;
  strangers.owner.clear();
  EXPECT_EQ(try_as(kBob, kGroup, writes_once(strangers)), "");
  const auto refuses = [&](Mouth&) {
    return why_not_refused([&] { LatestReader<Whole> reader(owned, "pose"); },
                           Errc::permission_denied,
                           {owned.path(), "@" + rights.owner, "one of user"});
  };
  EXPECT_EQ(as_guest(refuses), "");
  EXPECT_EQ(try_as(kAlice, kGroup, refuses), "");
  std::filesystem::remove_all(owned.path());
  EXPECT_EQ(try_as(kAlice, kGroup, writes_once(rights)), "");
  EXPECT_EQ(as_guest([&](Mouth&) -> std::string {
              return LatestReader<Whole>(owned, "pose").acquire() ? "" : "cannot read";
            }),
            "");
}

TEST_F(GuestsTest, StayWhileWritersDieAndReturn) {
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose", named("", Deadline::after(20s)));
    for (std::uint64_t last = 0; last < 6;) {
      if (reader.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return "nothing newer";
      const auto value = reader.acquire();
      if (!value || !value->is(value.sequence())) return "not whole";
      if (value.sequence() <= last) return "it went back";
      last = value.sequence();
      test.say("read");
    }
    test.await("all dead", soon());
    // Known at once: the kernel has dropped the lock by the time the test hears of the death.
    return reader.writer_liveness() == Liveness::dead ? "" : "the dead writer is alive";
  });
  for (int life = 0; life < 3; ++life) {
    Process writer = alice();
    ASSERT_EQ(bob.expect("read", soon()), "") << life;
    ASSERT_EQ(write_on(writer), "");
    ASSERT_EQ(bob.expect("read", soon()), "") << life;
    writer.kill();
  }
  bob.tell("all dead");
  EXPECT_EQ(bob.finish(soon()).text(), "");
}

TEST_F(GuestsTest, MayDieAtAnyMomentUnderLoad) {
  Process writer = as_user("alice", kAlice, kGroup, [&](Mouth& test) -> std::string {
    LatestWriter<Whole> pose(domain(), "pose", guests(3));
    test.say("ready");
    while (!test.hear(testkit::within(0ns))) {
      for (int i = 0; i < 200; ++i) {
        if (!write_next(pose)) return "she cannot write";
      }
    }
    return "";
  });
  ASSERT_EQ(writer.expect("ready", soon()), "");
  const auto reads = [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose");
    test.say("reads");
    for (std::uint64_t last = 0;;) {
      const auto value = reader.acquire();
      if (!value) continue;
      if (!value->is(value.sequence()) || value.sequence() < last) {
        test.say("torn or backward");
        return "";
      }
      last = value.sequence();
    }
  };
  std::mt19937 random(20261121);
  for (int death = 0; death < 60; ++death) {
    Process guest = as_user("guest", kBob, kGroup, reads);
    ASSERT_EQ(guest.expect("reads", soon()), "");
    // A sleep of no meaning but to vary where it dies.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    guest.kill();
    EXPECT_EQ(guest.next_word(soon()).value_or(""), "") << "death " << death;
  }
  // No seat is lost: three guests sit at once.
  std::vector<Process> last;
  for (int i = 0; i < 3; ++i) {
    last.push_back(as_user("last", kBob, kGroup, reads));
    EXPECT_EQ(last.back().expect("reads", soon()), "");
  }
  writer.tell("end");
  EXPECT_EQ(writer.finish(soon()).text(), "");
}

TEST_F(GuestsTest, AreAskedBeforeARemovalAndToldOfIt) {
  Process writer = alice();
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    LatestReader<Whole> reader(domain(), "pose");
    auto value = reader.acquire();
    test.say("sits");
    test.await("removed", soon());
    if (!reader.is_orphaned()) return "not told that it is orphaned";
    if (reader.wait_newer(Deadline::after(20s)) != WaitAnswer::orphaned) return "waits on";
    if (!value || !value->is(1)) return "what it holds is gone";
    return value.refresh() == ReadAnswer::unchanged ? "" : "cannot look again";
  });
  ASSERT_EQ(bob.expect("sits", soon()), "");
  ASSERT_EQ(end(writer), "");
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     if (remove_object(domain(), "pose") != Removal::in_use) return "removed";
                     return remove_object(domain(), "pose", Force::yes) == Removal::removed
                                ? ""
                                : "not removed by force";
                   }),
            "");
  EXPECT_EQ(files_in(folder_.domain_path()), std::vector<std::string>{});
  bob.tell("removed");
  EXPECT_EQ(bob.finish(soon()).text(), "");
}

// The remover is stopped with the lock that keeps guests out, as between any two of its calls.
TEST_F(GuestsTest, WaitForARemoverThatIsAtWorkAndAreNotToldThatTheyMayNot) {
  Process writer = alice();
  Process remover = as_user("remover", kAlice, kGroup, [&](Mouth& test) -> std::string {
    {
      const auto seats = os::open_path(satellite("seats"), os::Access::read_write);
      const auto held =
          os::try_lock(seats.value, internal::RegionLock::kUse, os::LockKind::exclusive);
      if (!held || held.value != os::Locked::yes) return "cannot lock";
      test.say("at work");
      test.await("give up", soon());
    }
    return "";
  });
  ASSERT_EQ(remover.expect("at work", soon()), "");
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    std::string why =
        why_not_refused([&] { LatestReader<Whole> reader(domain(), "pose"); }, Errc::not_found, {});
    if (!why.empty()) return why;
    test.say("waits");
    LatestReader<Whole> reader(domain(), "pose", named("", Deadline::after(20s)));
    return reader.acquire() ? "" : "cannot read";
  });
  EXPECT_EQ(bob.expect("waits", soon()), "");
  remover.tell("give up");
  EXPECT_EQ(remover.finish(soon()).text(), "");
  EXPECT_EQ(bob.finish(soon()).text(), "");
  EXPECT_EQ(end(writer), "");
}

TEST_F(GuestsTest, LeaveNothingBehindThatIsInTheWay) {
  Process writer = alice();
  EXPECT_EQ(as_guest([&](Mouth&) -> std::string {
              LatestReader<Whole> reader(domain(), "pose");
              return reader.acquire() ? "" : "cannot read";
            }),
            "");
  ASSERT_EQ(end(writer), "");
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     const auto facts = latest_facts(domain(), "pose");
                     if (!facts || facts->guests_held + facts->guests_vacant != 0) return "held";
                     if (facts->pinned_held + facts->pinned_by_nobody != 0) return "pinned";
                     return remove_object(domain(), "pose") == Removal::removed ? "" : "in use";
                   }),
            "");
  EXPECT_EQ(files_in(folder_.domain_path()), std::vector<std::string>{});
}

// What creators killed at every step leave is proved by kith_prove; here, who removes it, and that
// neither an honest newcomer's files go nor a guest can keep garbage.
TEST_F(GuestsTest, FilesOfAKilledCreatorAreRemovedAndThoseOfALivingOneAreNot) {
  const std::string dead = folder_.in("robots/.4242424242");
  const std::string unborn = folder_.in("robots/.4343434343");
  Process creator = as_user("creator", kAlice, kGroup, [&](Mouth& test) -> std::string {
    for (const std::string& name : {dead, unborn}) {
      for (const char* what : {".data", ".seats"}) put_bytes(name + what, "half");
      ::chmod((name + ".data").c_str(), 0640);
      ::chmod((name + ".seats").c_str(), 0660);
      for (const char* what : {".data", ".seats"}) {
        if (::chown((name + what).c_str(), kAlice, kGroup) != 0) return "chown";
      }
    }
    const auto data = os::open_path(unborn + ".data", os::Access::read_write);
    const auto held =
        os::try_lock(data.value, internal::RegionLock::kCreator, os::LockKind::exclusive);
    test.say(held && held.value == os::Locked::yes ? "half made" : "cannot lock");
    test.await("end", soon());
    return "";
  });
  ASSERT_EQ(creator.expect("half made", soon()), "");
  // A guest who locks all that it can.
  Process keeper = as_user("keeper", kBob, kGroup, [&](Mouth& test) -> std::string {
    struct flock lock {};
    lock.l_len = 1L << 62;
    for (const std::string& name : {dead, unborn}) {
      lock.l_type = F_RDLCK;
      const int data = ::open((name + ".data").c_str(), O_RDONLY);
      if (name == dead && ::fcntl(data, F_OFD_SETLK, &lock) != 0) return "cannot lock the data";
      lock.l_type = F_WRLCK;
      const int seats = ::open((name + ".seats").c_str(), O_RDWR);
      if (::fcntl(seats, F_OFD_SETLK, &lock) != 0) return "cannot lock the seats";
    }
    test.say("locked");
    test.await("end", soon());
    return "";
  });
  ASSERT_EQ(keeper.expect("locked", soon()), "");
  // Any creator of a channel with guests cleans, as `kith clean` does.
  Process writer = alice();
  EXPECT_EQ(look_at_file(dead + ".data").mode, 0u);
  EXPECT_EQ(look_at_file(dead + ".seats").mode, 0u);
  EXPECT_EQ(look_at_file(unborn + ".data").mode, 0640u);
  EXPECT_EQ(look_at_file(unborn + ".seats").mode, 0660u);
  creator.kill();
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     return clean_domain(domain(), Roles::keep).objects_removed == 2
                                ? ""
                                : "not two files were removed";
                   }),
            "");
  EXPECT_EQ(look_at_file(unborn + ".data").mode, 0u);
  keeper.tell("end");
  EXPECT_EQ(keeper.finish(soon()).text(), "");
  EXPECT_EQ(end(writer), "");
}

}  // namespace
}  // namespace kith
