// FunctionRef: a function, lambda or other callable, looked at only while a call lasts.
//
//   int count_if(std::span<const int> numbers, FunctionRef<bool(int)> wanted);
//   count_if(numbers, [&](int number) { return number > least; });
//
// States       null (made from nothing, a null function pointer or an empty std::function), or not.
// Callers      as the callable admits. For parameters: it does not keep alive what it refers to.
// Cost         one indirect call; it allocates nothing.
//
// std::function would do, but <functional> costs every user a tenth of a second to compile.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "kith/base/contract.hpp"

namespace kith {

template <class Signature>
class FunctionRef;

template <class Result, class... Argument>
class FunctionRef<Result(Argument...)> {
 public:
  FunctionRef() noexcept = default;
  FunctionRef(std::nullptr_t) noexcept {}  // NOLINT: meant to convert, as std::function does
  template <class Callable>
  requires(!std::same_as<std::remove_cvref_t<Callable>, FunctionRef>) &&
      requires(Callable& callable, Argument... argument) {
    static_cast<Result>(callable(static_cast<Argument&&>(argument)...));
  }
  FunctionRef(Callable&& callable) noexcept {  // NOLINT: meant to convert
    using Target = std::remove_reference_t<Callable>;
    if constexpr (!std::is_function_v<Target> && requires { callable == nullptr; }) {
      if (callable == nullptr) return;
    }
    // `call_` knows the type, and gives back the const that is taken away here.
    target_ = const_cast<void*>(reinterpret_cast<const void*>(&callable));
    call_ = [](void* target, Argument... argument) -> Result {
      auto& function = *reinterpret_cast<Target*>(target);
      return static_cast<Result>(function(static_cast<Argument&&>(argument)...));
    };
  }

  explicit operator bool() const noexcept { return call_ != nullptr; }
  Result operator()(Argument... argument) const {
    KITH_REQUIRE(call_ != nullptr, "a null function cannot be called");
    return call_(target_, static_cast<Argument&&>(argument)...);
  }

 private:
  void* target_ = nullptr;
  Result (*call_)(void* target, Argument... argument) = nullptr;
};

}  // namespace kith
