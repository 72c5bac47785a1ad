// Bad input that needs no peer: names, files of others, damaged files, other versions, arguments,
// domains. Method: put it there, ask for it in every way, and look at what else there was.
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using internal::RegionHeader;
using tests::bytes_of;
using tests::Findings;
using tests::in_own_process;
using tests::patch;
using tests::put_bytes;
using tests::ScratchDirectory;
using tests::Verdict;
using tests::why_not_refused;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

struct Pose {
  double x;
  double y;
};

// Every way to ask for an object by name.
struct Way {
  const char* what;
  std::function<void(const Domain&, const std::string&)> ask;
};
const std::vector<Way>& ways_to_ask() {
  static const std::vector<Way> ways{
      {"create", [](auto& d, auto& n) { (void)Region<Number>::create(d, n); }},
      {"open", [](auto& d, auto& n) { (void)Region<Number>::open(d, n); }},
      {"open or create", [](auto& d, auto& n) { (void)Region<Number>::open_or_create(d, n); }},
      {"create bytes", [](auto& d, auto& n) { (void)Region<>::create(d, n, 64); }},
      {"create objects", [](auto& d, auto& n) { (void)ObjectRegion::create(d, n); }},
      {"open objects", [](auto& d, auto& n) { (void)ObjectRegion::open(d, n); }},
      {"write", [](auto& d, auto& n) { LatestWriter<Pose> writer(d, n); }},
      {"read", [](auto& d, auto& n) { LatestReader<Pose> reader(d, n); }},
      {"read what is there", [](auto& d, auto& n) { LatestBytesReader reader(d, n); }},
  };
  return ways;
}

// An object that lives in the domain all the while and must notice nothing.
class Bystander {
 public:
  explicit Bystander(const Domain& domain)
      : region_(Region<Number>::open_or_create(domain, "bystander")) {
    region_->store(42, std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_well() const {
    const auto again = Region<Number>::open(region_.domain(), "bystander");
    return !region_.is_orphaned() && again->load(std::memory_order_relaxed) == 42;
  }

 private:
  Region<Number> region_;
};

TEST(BadName, IsRefusedEverywhereAndNothingIsMade) {
  const ScratchDirectory scratch;
  struct BadName {
    std::string name;
    std::string telling;
  };
  const std::vector<BadName> names{
      {"", "empty"},
      {"a/b", "'/'"},
      {"../pose", "'/'"},
      {"a b", "0x20"},
      {"a\nb", "0x0a"},
      {std::string("a\0b", 3), "0x00"},
      {".hidden", "begins with '.'"},
      {".members", "begins with '.'"},
      {".", "begins with '.'"},
      {"..", "begins with '.'"},
      {"-rf", "begins with '-'"},
      {"caf\xc3\xa9", "0xc3"},
      {std::string(201, 'n'), "201 characters"},
  };
  for (const BadName& bad : names) {
    const std::string& name = bad.name;
    std::string shown = name;
    for (char& c : shown) c = static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    for (const Way& way : ways_to_ask()) {
      EXPECT_EQ(why_not_refused([&] { way.ask(scratch.domain(), name); }, Errc::invalid_name,
                                {"'" + shown + "'", bad.telling}),
                "")
          << way.what;
    }
    EXPECT_EQ(why_not_refused([&] { (void)latest_facts(scratch.domain(), name); },
                              Errc::invalid_name, {"'" + shown + "'"}),
              "");
  }
  EXPECT_TRUE(scratch.is_empty());
}

TEST(BadName, NeverLeadsOutOfTheDomainWhenRemoving) {
  const ScratchDirectory scratch;
  const Domain inner = Domain::at(scratch.path() + "/inner");
  const Bystander bystander(scratch.domain());
  const auto region = Region<Number>::create(inner, "here");
  for (const std::string name : {"../bystander", "", "..", ".", "a/b", "/dev/null"}) {
    EXPECT_EQ(why_not_refused([&] { (void)remove_object(inner, name, Force::yes); },
                              Errc::invalid_name, {"'" + name + "'"}),
              "");
  }
  EXPECT_TRUE(bystander.is_well());
}

TEST(BadName, OfTheGreatestLengthIsGood) {
  const ScratchDirectory scratch;
  const std::string name(200, 'n');
  { LatestWriter<Pose> writer(scratch.domain(), name, {.role = std::string(63, 'r')}); }
  EXPECT_EQ(list_objects(scratch.domain()).at(0).name, name);
}

TEST(BadName, OfARoleIsRefusedBeforeAnythingIsMade) {
  const ScratchDirectory scratch;
  const std::vector<std::string> roles{
      "a b", "a/b", "a\nb", ".a", "-a", "\xc3\xa9", std::string(64, 'r')};
  for (const std::string& role : roles) {
    const LatestOptions options{.role = role};
    EXPECT_EQ(why_not_refused([&] { LatestWriter<Pose> writer(scratch.domain(), "pose", options); },
                              Errc::invalid_name, {"role '", "it "}),
              "");
    EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> reader(scratch.domain(), "pose", options); },
                              Errc::invalid_name, {"role '", "it "}),
              "");
  }
  EXPECT_TRUE(scratch.is_empty());
}

// What may stand where an object is looked for, and a telling word of the refusal.
struct Stranger {
  const char* what;
  std::function<void(const std::string& path)> put;
  const char* telling;
};
const std::vector<Stranger>& strangers() {
  static const std::vector<Stranger> all{
      {"a text", [](auto& p) { put_bytes(p, "dear diary"); }, "10 bytes of something else"},
      {"nothing at all", [](auto& p) { put_bytes(p, ""); }, "0 bytes of something else"},
      {"zeros", [](auto& p) { put_bytes(p, std::string(8192, '\0')); }, "8192 bytes"},
      {"a directory", [](auto& p) { std::filesystem::create_directory(p); }, "something else"},
      {"a dangling link", [](auto& p) { std::filesystem::create_symlink("nowhere", p); }, "link"},
      {"a link to a region", [](auto& p) { std::filesystem::create_symlink("bystander", p); },
       "link"},
      {"a FIFO", [](auto& p) { ::mkfifo(p.c_str(), 0600); }, "pipe"},
  };
  return all;
}

TEST(FileOfAStranger, IsRefusedByNameAndLeftAlone) {
  for (const Stranger& stranger : strangers()) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    const Bystander bystander(domain);
    const std::string path = scratch.path() + "/pose";
    stranger.put(path);
    const auto type = std::filesystem::symlink_status(path).type();
    for (const Way& way : ways_to_ask()) {
      EXPECT_EQ(why_not_refused([&] { way.ask(domain, "pose"); }, Errc::not_ours,
                                {"'pose'", scratch.path(), stranger.telling}),
                "")
          << stranger.what << ", " << way.what;
    }
    for (const Force force : {Force::no, Force::yes}) {
      EXPECT_EQ(why_not_refused([&] { (void)remove_object(domain, "pose", force); }, Errc::not_ours,
                                {"'pose'", stranger.telling}),
                "")
          << stranger.what;
    }
    EXPECT_EQ(std::filesystem::symlink_status(path).type(), type) << stranger.what;
    EXPECT_TRUE(bystander.is_well()) << stranger.what;
  }
}

TEST(FileOfAStranger, IsListedWithItsProblemAndCleaningLeavesIt) {
  for (const Stranger& stranger : strangers()) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    const Bystander bystander(domain);
    stranger.put(scratch.path() + "/pose");
    const auto objects = list_objects(domain);
    ASSERT_EQ(objects.size(), 2u);
    EXPECT_EQ(objects[0].problem, "");
    EXPECT_NE(objects[1].problem.find(stranger.telling), std::string::npos) << objects[1].problem;
    const CleanSummary summary = clean_domain(domain, Roles::drop_vacant);
    EXPECT_EQ(summary.objects_removed, 0u);
    EXPECT_EQ(summary.refused.size(), 1u);
    EXPECT_NE(std::filesystem::symlink_status(scratch.path() + "/pose").type(),
              std::filesystem::file_type::not_found);
    EXPECT_TRUE(bystander.is_well());
  }
}

TEST(FileOfAStranger, InPlaceOfALivingRegionOrphansItsUsers) {
  for (const Stranger& stranger : strangers()) {
    const ScratchDirectory scratch;
    const Bystander bystander(scratch.domain());
    auto region = Region<Number>::create(scratch.domain(), "pose");
    std::filesystem::remove(scratch.path() + "/pose");
    stranger.put(scratch.path() + "/pose");
    EXPECT_TRUE(region.is_orphaned()) << stranger.what;
    region->store(7, std::memory_order_relaxed);  // the memory stays
    region.close();
    EXPECT_TRUE(bystander.is_well()) << stranger.what;
  }
}

// Leaves the file of a region and of a channel behind, closed, with values in them.
void make_two(const Domain& domain) {
  Region<Number>::create(domain, "number")->store(7, std::memory_order_relaxed);
  LatestWriter<Pose> writer(domain, "pose");
  ASSERT_EQ(writer.write({1, 2}), WriteAnswer::committed);
}

TEST(TruncatedFile, IsRefusedAndRemovedOnlyByForce) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Bystander bystander(domain);
  for (const std::uint64_t left : {256u, 511u, 2048u, 4096u, 6144u, 8191u}) {
    make_two(domain);
    for (const std::string name : {"number", "pose"}) {
      std::filesystem::resize_file(scratch.path() + "/" + name, left);
      const auto open = [&] {
        if (name == "number") (void)Region<Number>::open_or_create(domain, name);
        if (name == "pose") LatestReader<Pose> reader(domain, name);
      };
      EXPECT_EQ(why_not_refused(open, Errc::damaged,
                                {"'" + name + "'", std::to_string(left) + " bytes", "--force"}),
                "");
      EXPECT_EQ(why_not_refused([&] { (void)remove_object(domain, name); }, Errc::damaged,
                                {"'" + name + "'"}),
                "");
      // The remedy that the text names works.
      EXPECT_EQ(remove_object(domain, name, Force::yes), Removal::removed);
      EXPECT_EQ(why_refused(open), "");
      EXPECT_EQ(remove_object(domain, name), Removal::removed);
    }
  }
  EXPECT_TRUE(bystander.is_well());
}

TEST(OtherVersion, IsRefusedByNameAndLeftAlone) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  struct Difference {
    std::size_t offset;
    std::string bytes;
    const char* telling;
  };
  const std::vector<Difference> differences{
      {offsetof(RegionHeader, byte_order), "\x01\x02\x03\x04", "byte order"},
      {offsetof(RegionHeader, format_major), std::string("\x02\0", 2), "format 2"},
      {offsetof(RegionHeader, word_bits), std::string("\x20\0\0\0", 4), "32 bits"},
  };
  for (const Difference& difference : differences) {
    make_two(domain);
    for (const std::string name : {"number", "pose"}) {
      patch(scratch.path() + "/" + name, difference.offset, difference.bytes);
      const std::string before = bytes_of(scratch.path() + "/" + name);
      for (const Way& way : ways_to_ask()) {
        EXPECT_EQ(why_not_refused([&] { way.ask(domain, name); }, Errc::wrong_version,
                                  {"'" + name + "'", difference.telling}),
                  "")
            << way.what;
      }
      EXPECT_EQ(bytes_of(scratch.path() + "/" + name), before);
      EXPECT_EQ(remove_object(domain, name, Force::yes), Removal::removed);
    }
  }
}

TEST(OtherVersion, WithAHigherMinorNumberIsGood) {
  const ScratchDirectory scratch;
  make_two(scratch.domain());
  for (const std::string name : {"number", "pose"}) {
    patch(scratch.path() + "/" + name, offsetof(RegionHeader, format_minor), "\x09");
  }
  EXPECT_EQ(Region<Number>::open(scratch.domain(), "number")->load(), 7u);
  LatestReader<Pose> reader(scratch.domain(), "pose");
  EXPECT_EQ(reader.acquire()->y, 2);
}

// Uses whatever opens under any face; an Error is as good an answer.
void try_everything(const Domain& domain, const std::string& name) {
  (void)why_refused([&] {
    const auto region = Region<Number>::open(domain, name);
    region->fetch_add(1, std::memory_order_relaxed);
  });
  (void)why_refused([&] {
    const auto region = Region<>::open(domain, name);
    for (std::byte& byte : region.bytes()) byte = std::byte{1};
  });
  (void)why_refused([&] {
    auto objects = ObjectRegion::open(domain, name);
    (void)objects.object_names();
    (void)objects.find_or_create<Number>("tick", Deadline::now()).load();
  });
  (void)why_refused([&] {
    LatestReader<Pose> reader(domain, name);
    (void)reader.acquire();
  });
  (void)why_refused([&] {
    LatestWriter<Pose> writer(domain, name);
    (void)writer.write({3, 4});
  });
}

// Every byte of the header takes other values in turn, on a fresh file each time.
void flip_every_byte(const ScratchDirectory& scratch, const std::string& name) {
  const Domain domain = scratch.domain();
  const std::string good = bytes_of(scratch.path() + "/" + name);
  for (std::size_t offset = 0; offset < sizeof(RegionHeader); ++offset) {
    for (const int change : {0x01, 0x80, 0x02, 0xff}) {
      std::string bad = good;
      bad[offset] = static_cast<char>(bad[offset] ^ change);
      std::filesystem::remove(scratch.path() + "/" + name);
      put_bytes(scratch.path() + "/" + name, bad);
      try_everything(domain, name);
      (void)list_objects(domain);
    }
  }
}

TEST(FlippedHeaderByte, GivesAnErrorOrAWorkingObjectAndNeverACrash) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Bystander bystander(domain);
  make_two(domain);
  (void)Region<>::create(domain, "bytes", 100);
  { ObjectRegion::create(domain, "objects").create_object<Number>("tick", Deadline::now()); }
  for (const std::string name : {"number", "bytes", "objects", "pose"}) {
    const Verdict verdict = in_own_process([&](Findings&) {
      const Member stays = Member::join(domain);
      flip_every_byte(scratch, name);
    });
    EXPECT_EQ(verdict.failures, "") << name;
  }
  EXPECT_TRUE(bystander.is_well());
}

TEST(FlippedHeaderByte, OfTheMemberTableGivesAnErrorOrAMember) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain({.members_max = 8});
  const Bystander bystander(domain);  // with an object there, the table stays
  { const Member member = Member::join(domain); }
  const std::string path = scratch.path() + "/.members";
  const std::string good = bytes_of(path);
  ASSERT_FALSE(good.empty());
  const Verdict verdict = in_own_process([&](Findings&) {
    for (std::size_t offset = 0; offset < sizeof(RegionHeader); ++offset) {
      std::string bad = good;
      bad[offset] = static_cast<char>(bad[offset] ^ 0x81);
      std::filesystem::remove(path);
      put_bytes(path, bad);
      (void)why_refused([&] { (void)Member::join(domain).members(); });
    }
  });
  EXPECT_EQ(verdict.failures, "");
  EXPECT_TRUE(bystander.is_well());
}

TEST(Clock, SetBackChangesNothing) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  make_two(domain);
  const std::string in_two_hundred_years("\xff\xff\xff\xff\xff\xff\xff\x57", 8);
  for (const std::string name : {"number", "pose"}) {
    patch(scratch.path() + "/" + name, offsetof(RegionHeader, created_ns), in_two_hundred_years);
  }
  for (const ObjectFacts& object : list_objects(domain)) {
    EXPECT_EQ(object.problem, "");
    EXPECT_GT(object.created_ns, std::int64_t{5} << 60);
  }
  EXPECT_EQ(clean_domain(domain, Roles::keep).objects_removed, 0u);
  EXPECT_EQ(Region<Number>::open(domain, "number")->load(), 7u);
  LatestReader<Pose> reader(domain, "pose");
  LatestWriter<Pose> writer(domain, "pose");
  EXPECT_EQ(writer.write({5, 6}), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire()->x, 5);
}

TEST(Domains, TwoAtOnceKeepApart) {
  const ScratchDirectory one;
  const ScratchDirectory two;
  LatestWriter<Pose> first(one.domain(), "pose", {.role = "me"});
  LatestWriter<Pose> second(two.domain(), "pose", {.role = "me"});
  ASSERT_EQ(first.write({1, 1}), WriteAnswer::committed);
  LatestReader<Pose> reader_of_two(two.domain(), "pose");
  EXPECT_EQ(reader_of_two.acquire().answer(), ReadAnswer::empty);
  ASSERT_EQ(second.write({2, 2}), WriteAnswer::committed);
  LatestReader<Pose> reader_of_one(one.domain(), "pose");
  EXPECT_EQ(reader_of_one.acquire()->x, 1);
  EXPECT_EQ(reader_of_two.acquire()->x, 2);
  EXPECT_EQ(Member::join(one.domain()).members().size(), 1u);
  EXPECT_EQ(remove_object(one.domain(), "pose", Force::yes), Removal::removed);
  EXPECT_TRUE(first.is_orphaned());
  EXPECT_FALSE(second.is_orphaned());
}

}  // namespace
}  // namespace kith
