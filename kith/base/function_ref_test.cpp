#include "kith/base/function_ref.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

namespace kith {
namespace {

using Judge = FunctionRef<bool(int)>;

bool ask(Judge judge, int number) {
  return judge(number);
}
bool is_even(int number) {
  return number % 2 == 0;
}

TEST(FunctionRef, CallsWhateverCanBeCalled) {
  int least = 3;
  EXPECT_TRUE(ask([&](int number) { return number > least; }, 4));
  EXPECT_FALSE(ask([&](int number) { return number > least; }, 3));
  EXPECT_TRUE(ask(is_even, 2));
  EXPECT_FALSE(ask(&is_even, 3));
  const std::function<bool(int)> held = is_even;
  EXPECT_TRUE(ask(held, 2));
  EXPECT_FALSE(ask(held, 3));
}

TEST(FunctionRef, RefersToTheCallableAndDoesNotCopyIt) {
  auto counts = [calls = 0](int) mutable { return ++calls > 1; };
  const Judge judge = counts;
  EXPECT_FALSE(judge(0));
  EXPECT_TRUE(ask(judge, 0));  // a copy refers to the same
  EXPECT_TRUE(counts(0));
}

TEST(FunctionRef, MadeFromNothingIsNull) {
  bool (*const no_function)(int) = nullptr;
  const std::function<bool(int)> empty;
  EXPECT_FALSE(Judge());
  EXPECT_FALSE(Judge(nullptr));
  EXPECT_FALSE(Judge(no_function));
  EXPECT_FALSE(Judge(empty));
  EXPECT_TRUE(Judge(is_even));
}

TEST(FunctionRef, HandsArgumentsAndResultsThroughAsTheyAre) {
  const auto lengthen = [](std::string& text) -> std::string& { return text += "!"; };
  std::string text = "well";
  EXPECT_EQ(&FunctionRef<std::string&(std::string&)>(lengthen)(text), &text);
  EXPECT_EQ(text, "well!");
  const auto open = [](std::unique_ptr<int> box) { return *box; };
  EXPECT_EQ(FunctionRef<int(std::unique_ptr<int>)>(open)(std::make_unique<int>(7)), 7);
  const auto answers = [](int number) { return number; };
  FunctionRef<void(int)>{answers}(1);
}

TEST(FunctionRef, TakesOnlyWhatFitsItsSignature) {
  EXPECT_TRUE((std::is_constructible_v<Judge, bool (*)(int)>));
  EXPECT_FALSE((std::is_constructible_v<Judge, bool (*)(std::string)>));
  EXPECT_FALSE((std::is_constructible_v<Judge, void (*)(int)>));
  EXPECT_FALSE((std::is_constructible_v<Judge, int>));
}

TEST(FunctionRefDeathTest, CallingANullOneIsABrokenContract) {
  EXPECT_DEATH(ask(nullptr, 1), "a null function cannot be called");
}

}  // namespace
}  // namespace kith
