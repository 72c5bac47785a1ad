// Method: one type for each reason to be admitted or refused. That a refused type stops the build
// with words a person understands is shown by tests/compile_fail.
#include "kith/base/shareable.hpp"

#include <complex>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

enum class Colour : std::uint8_t { red, green };
struct Empty {};
struct Pose {
  double position[3];
  std::array<float, 9> covariance;
  const Colour colour;
  std::optional<std::pair<char, long>> tag;
  std::chrono::system_clock::time_point taken;
  std::complex<float> phase;
  std::bitset<70> flags;
  std::byte raw[16];
  Empty empty;
};
struct Counters {
  alignas(64) std::atomic<std::uint64_t> sent;
  alignas(64) std::atomic<std::uint64_t> received;
  std::array<std::atomic<Colour>, 4> colours;
};
struct Large {
  char text[1 << 20];
  std::array<double, 1'000'000> numbers;
};
struct HasPointerDeepInside {
  struct {
    std::array<std::optional<const char*>, 3> names;
  } inner[2];
};
struct BitField {
  int narrow : 3;
};
struct UnnamedBitField {
  int first;
  int : 16;
  int second;
};
union Either {
  int number;
  float real;
};
struct Virtual {
  virtual void run();
  int number;
};
struct Base {
  int number;
};
struct Derived : Base {
  int own;
};
struct DerivedFromAtomic : Counters {
  int own;
};
struct DerivedFromEmpty : Empty {
  int own;
};
struct Destroyed {
  int number;
  ~Destroyed() { number = 0; }
};
struct [[gnu::packed]] Packed {
  char small;
  int number;
};
struct SharesAPlace {
  int number;
  [[no_unique_address]] Empty empty;
};
struct Volatile {
  volatile int number;  // tidy: allow(volatile) because its refusal is tested
};
struct HoldsReference {
  int& reference;
};
struct HoldsConstReference {
  const int& reference;
};
struct TwoLongs {
  std::int64_t first, second;
};
class Private {
 public:
  int number() const { return number_; }

 private:
  int number_ = 0;
};
class Stated {
 public:
  int number() const { return number_; }

 private:
  int number_ = 0;
};
class StatedAtomic {
 public:
  int number() const { return number_.load(std::memory_order_relaxed); }  // nothing depends on it

 private:
  std::atomic<int> number_{0};
};
struct HoldsStated {
  Stated stated[2];
};
struct TooMany {
  struct Eight {
    int a, b, c, d, e, f, g, h;
  };
  Eight grouped[8];
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6,
      c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5,
      f6, f7, g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7;
};

}  // namespace

template <>
struct kith::Stamp<Stated> {
  static constexpr std::uint64_t fingerprint = 1;
};
template <>
struct kith::Stamp<StatedAtomic> {
  static constexpr std::uint64_t fingerprint = 2;
};

namespace kith {
namespace {

using internal::Reason;

template <class T>
constexpr Reason in_place() {
  return internal::kReason<T, internal::Use::in_place>;
}
template <class T>
constexpr Reason copied() {
  return internal::kReason<T, internal::Use::copied>;
}

TEST(Shareable, AdmitsPlainDataHoweverNested) {
  EXPECT_TRUE(Shareable<int>);
  EXPECT_TRUE(Shareable<const double>);
  EXPECT_TRUE(Shareable<Pose[2][3]>);
  EXPECT_TRUE(Message<Pose>);
  EXPECT_TRUE(Message<Large>);
  EXPECT_TRUE(require_shareable<Pose>());
  EXPECT_TRUE(require_message<Pose>());
}

TEST(Shareable, AtomicsLiveInPlaceButAreNoMessage) {
  EXPECT_TRUE(Shareable<std::atomic<int>>);
  EXPECT_TRUE(Shareable<Counters>);
  EXPECT_EQ(copied<std::atomic<int>>(), Reason::atomic_copied);
  EXPECT_FALSE(Message<Counters>);
  EXPECT_EQ(in_place<std::atomic<TwoLongs>>(), Reason::atomic_with_lock);
  EXPECT_FALSE(Shareable<std::atomic<int*>>);
}

TEST(Shareable, RefusesWhatPointsIntoOneProcess) {
  EXPECT_EQ(in_place<int*>(), Reason::pointer);
  EXPECT_EQ(in_place<int Base::*>(), Reason::pointer);
  EXPECT_EQ(in_place<void (*)()>(), Reason::pointer);
  EXPECT_EQ(in_place<std::nullptr_t>(), Reason::pointer);
  EXPECT_EQ(in_place<int&>(), Reason::reference);
  EXPECT_EQ(in_place<Virtual>(), Reason::virtual_function);
  EXPECT_EQ(in_place<HasPointerDeepInside>(), Reason::in_a_part);
  EXPECT_EQ(in_place<HoldsConstReference>(), Reason::in_a_part);
  EXPECT_EQ(in_place<HoldsReference>(), Reason::uncountable);
}

TEST(Shareable, RefusesOwnersAndViews) {
  EXPECT_EQ(in_place<std::string>(), Reason::container);
  EXPECT_EQ(in_place<std::vector<int>>(), Reason::container);
  EXPECT_EQ((in_place<std::map<int, int>>()), Reason::container);
  EXPECT_EQ(in_place<std::unique_ptr<int>>(), Reason::smart_pointer);
  EXPECT_EQ(in_place<std::shared_ptr<int>>(), Reason::smart_pointer);
  EXPECT_EQ(in_place<std::string_view>(), Reason::view);
  EXPECT_EQ(in_place<std::span<int>>(), Reason::view);
  EXPECT_EQ((in_place<std::span<int, 3>>()), Reason::view);
  EXPECT_EQ(in_place<std::reference_wrapper<int>>(), Reason::view);
  EXPECT_FALSE(Shareable<std::function<void()>>);
  EXPECT_FALSE((Shareable<std::pair<int, std::string>>));
}

TEST(Shareable, RefusesLocksAndThreadsOfOneProcess) {
  EXPECT_EQ(in_place<std::mutex>(), Reason::process_lock);
  EXPECT_EQ(in_place<std::recursive_timed_mutex>(), Reason::process_lock);
  EXPECT_EQ(in_place<std::condition_variable>(), Reason::process_lock);
  EXPECT_EQ(in_place<std::thread>(), Reason::thread);
}

TEST(Shareable, RefusesWhatHidesItsLayout) {
  EXPECT_EQ(in_place<Either>(), Reason::union_type);
  EXPECT_EQ(in_place<BitField>(), Reason::bit_field);
  EXPECT_EQ(in_place<UnnamedBitField>(), Reason::layout);
  EXPECT_EQ(in_place<Derived>(), Reason::base_class);
  EXPECT_EQ(in_place<DerivedFromEmpty>(), Reason::base_class);
  EXPECT_EQ(in_place<DerivedFromAtomic>(), Reason::base_class);
  EXPECT_EQ(in_place<Private>(), Reason::not_an_aggregate);
  EXPECT_EQ(in_place<SharesAPlace>(), Reason::layout);
  EXPECT_EQ(in_place<TooMany>(), Reason::too_many_fields);
  EXPECT_FALSE(Shareable<Packed>);
}

TEST(Shareable, RefusesVolatileDestructorsAndNothingAtAll) {
  // tidy: allow(volatile) because its refusal is tested
  EXPECT_EQ(in_place<volatile int>(), Reason::volatile_value);
  EXPECT_EQ(in_place<Volatile>(), Reason::in_a_part);
  EXPECT_EQ(in_place<Destroyed>(), Reason::destructor);
  EXPECT_EQ(in_place<void>(), Reason::unsupported);
  EXPECT_EQ(in_place<int[]>(), Reason::unsupported);
}

TEST(Shareable, AdmitsWhatItsAuthorStatesByHand) {
  EXPECT_TRUE(Message<Stated>);
  EXPECT_TRUE(Message<HoldsStated>);
  EXPECT_TRUE(Shareable<StatedAtomic>);
  EXPECT_EQ(copied<StatedAtomic>(), Reason::not_copyable);
}

}  // namespace
}  // namespace kith
