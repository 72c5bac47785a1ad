// Shareable and Message: which types may cross between processes, checked at compile time.
//
//   struct Pose { double x, y; std::array<float, 9> covariance; };
//   static_assert(kith::Message<Pose>);                        // may be copied from slot to slot
//   static_assert(kith::Shareable<std::atomic<int>>);          // may live in place
//   static_assert(!kith::Message<std::atomic<int>>);           // but is not copied
//   kith::require_message<Pose>();                             // or does not compile and says why
//
// What      Shareable: lives in shared memory and is used there by several processes. Message: is
//           copied in and out as bytes. Both look into nested fields and arrays, and refuse what
//           means something in one process only: pointers, references, virtual functions, owning
//           containers, views, locks of the standard library; and what hides its layout: unions,
//           bit-fields, bases, private members, more than 64 fields.
// States    none; everything is decided while compiling.
// Callers   any; a template that takes a T calls require_shareable<T>() or require_message<T>(),
//           so that its user reads a reason instead of "constraints not satisfied".
// Death     of a peer changes nothing here; but what several processes write in place needs an
//           atomic or a lock, and that this check cannot see.
// Cost      none at run time.
// Not for   types whose bytes need a meaning beyond layout: declare a name with Stamp.
// Limit     an anonymous union is refused by the compiler itself, so the concepts cannot answer.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kith/base/fields.hpp"

namespace kith {

// What the author of T says about it by hand, in a specialisation with one or both of
//
//   template <> struct kith::Stamp<MyType> {
//     static constexpr std::uint64_t fingerprint = 0x5d1c'0001;     // new layout, new number
//     static constexpr std::string_view name = "acme.MyType";
//   };
//
// With `fingerprint` the author answers for the layout: T is not looked into, so private members,
// unions and bases are admitted. A `name` is shown in errors and decides: it is mixed into the
// fingerprint, so that two types with equal layout and different names do not fit each other.
template <class T>
struct Stamp {};

namespace internal {

enum class Use { in_place, copied };

enum class Reason {
  none,
  in_a_part,
  incomplete,
  reference,
  pointer,
  volatile_value,
  unsupported,
  union_type,
  virtual_function,
  view,
  smart_pointer,
  container,
  process_lock,
  thread,
  not_an_aggregate,
  base_class,
  bit_field,
  uncountable,
  too_many_fields,
  destructor,
  not_copyable,
  atomic_copied,
  atomic_with_lock,
  layout,
};

template <class T>
concept FingerprintStated = requires {
  { Stamp<T>::fingerprint } -> std::convertible_to<std::uint64_t>;
};
template <class T>
concept NameDeclared = requires {
  { Stamp<T>::name } -> std::convertible_to<std::string_view>;
};

// The types of the standard library that are admitted although they hide their members.
template <class T>
struct BuiltIn {
  static constexpr bool known = false;
};
template <class... Part>
struct MadeOf {
  static constexpr bool known = true;
  using Parts = TypeList<Part...>;
};
template <class T, std::size_t extent>
struct BuiltIn<std::array<T, extent>> : MadeOf<T> {};
template <class First, class Second>
struct BuiltIn<std::pair<First, Second>> : MadeOf<First, Second> {};
template <class T>
struct BuiltIn<std::optional<T>> : MadeOf<T> {};
// std::complex, known by its face: <complex> would cost every user a tenth of a second to compile.
template <class C, class T>
concept ComplexNumber = std::is_floating_point_v<T> && sizeof(C) == 2 * sizeof(T) &&
                        std::same_as<typename C::value_type, T>&& requires(const C& number) {
  { number.real() } -> std::same_as<T>;
  { number.imag() } -> std::same_as<T>;
};
template <template <class> class C, class T>
requires ComplexNumber<C<T>, T>
struct BuiltIn<C<T>> : MadeOf<T> {
};
template <class Count, class Period>
struct BuiltIn<std::chrono::duration<Count, Period>> : MadeOf<Count> {};
template <class Clock, class Duration>
struct BuiltIn<std::chrono::time_point<Clock, Duration>> : MadeOf<Duration> {};
template <std::size_t extent>
struct BuiltIn<std::bitset<extent>> : MadeOf<> {};
template <class T>
struct BuiltIn<std::atomic<T>> : MadeOf<T> {};

template <class T>
inline constexpr bool kIsAtomic = false;
template <class T>
inline constexpr bool kIsAtomic<std::atomic<T>> = true;

template <class T>
inline constexpr bool kIsView = false;
template <class T, std::size_t extent>
inline constexpr bool kIsView<std::span<T, extent>> = true;
template <class Character, class Traits>
inline constexpr bool kIsView<std::basic_string_view<Character, Traits>> = true;
template <class T>
inline constexpr bool kIsView<std::atomic_ref<T>> = true;
// std::reference_wrapper, known by its face as std::complex is.
template <template <class> class R, class T>
requires requires(const R<T>& reference) {
  { reference.get() } -> std::same_as<T&>;
  { reference } -> std::convertible_to<T&>;
}
inline constexpr bool kIsView<R<T>> = true;

// What std::is_trivially_copyable would say, were std::pair not refused for its assignment alone.
template <class T>
inline constexpr bool kCopiedAsBytes =
    std::is_trivially_copy_constructible_v<std::remove_all_extents_t<T>>&&
        std::is_trivially_destructible_v<T>;

template <class T>
constexpr Reason scalar_reason() {
  if constexpr (std::is_reference_v<T>) return Reason::reference;
  if constexpr (std::is_volatile_v<T>) return Reason::volatile_value;
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T> ||
                std::is_function_v<T>) {
    return Reason::pointer;
  }
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) return Reason::none;
  return Reason::unsupported;
}

// A class that hides its members is known by what it can do; the answer only chooses the words of
// the refusal, the refusal itself is certain.
template <class T>
constexpr Reason hidden_reason() {
  if constexpr (kIsView<T>) return Reason::view;
  if constexpr (requires(T & t) { t.begin(), t.end(); }) {
    return std::is_trivially_copy_constructible_v<T> ? Reason::view : Reason::container;
  }
  if constexpr (requires(T & t) { t.joinable(); }) return Reason::thread;
  if constexpr (requires(T & t) { t.lock(), t.unlock(); }) return Reason::process_lock;
  if constexpr (requires(T & t) { t.notify_one(), t.notify_all(); }) return Reason::process_lock;
  if constexpr (requires(T & t) { t.get(), t.operator->(); }) return Reason::smart_pointer;
  return Reason::not_an_aggregate;
}

// What can be said of a class before its parts are looked at.
template <class T>
constexpr Reason class_reason() {
  if constexpr (!requires { sizeof(T); })
    return Reason::incomplete;
  else if constexpr (FingerprintStated<T>)
    return Reason::none;
  else if constexpr (std::is_union_v<T>)
    return Reason::union_type;
  else if constexpr (std::is_polymorphic_v<T>)
    return Reason::virtual_function;
  else if constexpr (BuiltIn<T>::known)
    return Reason::none;
  else if constexpr (!std::is_aggregate_v<T>)
    return hidden_reason<T>();
  else if constexpr (kHasBase<T>)
    return Reason::base_class;
  else if constexpr (kFieldCount<T> == kUncountable)
    return Reason::uncountable;
  else if constexpr (kFieldCount<T> > kFieldsMax)
    return Reason::too_many_fields;
  else if constexpr (ShapeOf<T>::kHasBitField)
    return Reason::bit_field;
  else
    return Reason::none;
}

template <class T>
constexpr Reason own_reason() {
  if constexpr (std::is_volatile_v<T>)
    return Reason::volatile_value;
  else if constexpr (std::is_bounded_array_v<T>)
    return Reason::none;
  else if constexpr (std::is_class_v<T> || std::is_union_v<T>)
    return class_reason<T>();
  else
    return scalar_reason<T>();
}

// The types T is made of. Requires that own_reason<T>() is none.
template <class T>
constexpr auto parts_of() {
  if constexpr (std::is_bounded_array_v<T>)
    return TypeList<std::remove_extent_t<T>>{};
  else if constexpr (!std::is_class_v<T> || FingerprintStated<T>)
    return TypeList<>{};
  else if constexpr (BuiltIn<T>::known)
    return typename BuiltIn<T>::Parts{};
  else
    return FieldTypes<T>{};
}

// What lies in an atomic is copied out of it, so it must be a Message wherever the atomic stands.
template <class T, Use use>
inline constexpr Use kUseOfParts = kIsAtomic<T> ? Use::copied : use;

template <class T, Use use>
constexpr Reason reason_of();

template <class T, Use use>
inline constexpr Reason kReason = reason_of<std::remove_const_t<T>, use>();

template <Use use, class... Part>
constexpr bool all_fine(TypeList<Part...>) {
  return ((kReason<Part, use> == Reason::none) && ...);
}

// What is left to say once every part is fine.
template <class T, Use use>
constexpr Reason whole_reason() {
  if constexpr (kIsAtomic<T>) {
    if constexpr (use == Use::copied)
      return Reason::atomic_copied;
    else if constexpr (!T::is_always_lock_free)
      return Reason::atomic_with_lock;
    else
      return Reason::none;
  } else if constexpr (!std::is_trivially_destructible_v<T>) {
    return Reason::destructor;
  } else if constexpr (use == Use::copied && !kCopiedAsBytes<T>) {
    return Reason::not_copyable;
  } else if constexpr (std::is_class_v<T> && !FingerprintStated<T> && !BuiltIn<T>::known) {
    return layout_is_known<T>(FieldTypes<T>{}) ? Reason::none : Reason::layout;
  } else {
    return Reason::none;
  }
}

template <class T, Use use>
constexpr Reason reason_of() {
  if constexpr (own_reason<T>() != Reason::none)
    return own_reason<T>();
  else if constexpr (!all_fine<kUseOfParts<T, use>>(parts_of<T>()))
    return Reason::in_a_part;
  else
    return whole_reason<T, use>();
}

// The refusals, in words. The compiler prints the template arguments with them: part `index` of
// Outer is the Part that is refused. In an array or a built-in type the index is that of its
// argument.
template <Reason reason, class Outer, std::size_t index, class Part>
constexpr void say_why_not_meaningful() {
  static_assert(reason != Reason::reference,
                "kith: a reference means nothing in another process; hold the value itself");
  static_assert(reason != Reason::pointer,
                "kith: a pointer means nothing in another process; hold the value itself, or an "
                "index or offset into the same region");
  static_assert(reason != Reason::volatile_value,
                "kith: volatile orders nothing between processes; use std::atomic or a lock");
  static_assert(reason != Reason::virtual_function,
                "kith: a class with virtual functions holds a pointer into one program's code; "
                "hold plain data and an enum that says what it is");
  static_assert(reason != Reason::view,
                "kith: a view type (span, string_view) points to memory of one process; hold the "
                "elements, for example in a std::array");
  static_assert(reason != Reason::smart_pointer,
                "kith: a smart pointer owns memory of one process; hold the value itself");
  static_assert(reason != Reason::container,
                "kith: an owning container (string, vector, map) keeps its elements in memory of "
                "one process; use std::array and a count");
  static_assert(reason != Reason::process_lock,
                "kith: a lock or condition of the standard library works in one process only and "
                "hangs when its holder dies; use atomics, or let one process write");
  static_assert(reason != Reason::thread, "kith: a thread belongs to one process");
  static_assert(
      reason != Reason::destructor,
      "kith: this type has a destructor, which nobody would run when a process is killed");
  static_assert(reason != Reason::not_copyable,
                "kith: a message is copied as bytes, and this type is not trivially copyable");
  static_assert(reason != Reason::atomic_copied,
                "kith: a message is copied as bytes, and a std::atomic is not; send the plain "
                "value, or keep the atomic in a Region");
  static_assert(reason != Reason::atomic_with_lock,
                "kith: this std::atomic is not lock-free, and its hidden lock belongs to one "
                "process; use a smaller type, or let one process write");
}
template <Reason reason, class Outer, std::size_t index, class Part>
constexpr void say_why_layout_unknown() {
  static_assert(reason != Reason::incomplete, "kith: this type is declared but not defined here");
  static_assert(reason != Reason::unsupported,
                "kith: this is not a type whose layout kith knows (void, __int128, vector "
                "registers, an array without extent)");
  static_assert(reason != Reason::union_type,
                "kith: a union does not say which of its members lives; use a struct, or state the "
                "stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::not_an_aggregate,
                "kith: this class has private members or constructors, so its layout cannot be "
                "seen; make it a plain struct, or state the stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::base_class,
                "kith: the layout of a struct with a base class cannot be seen; make the base its "
                "first field, or state the stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::bit_field,
                "kith: the layout of a bit-field (or packed field) cannot be seen; use a whole "
                "integer, or state the stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::uncountable,
                "kith: a field of this struct is a reference, or has no default constructor, so "
                "its fields cannot be counted; a reference means nothing in another process; "
                "otherwise state the stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::too_many_fields,
                "kith: this struct has more than 64 fields; group some into a nested struct, or "
                "state the stamp by hand with kith::Stamp<T>");
  static_assert(reason != Reason::layout,
                "kith: the fields of this struct do not lie one behind the other "
                "([[no_unique_address]], unnamed bit-fields, odd padding); state the stamp by hand "
                "with kith::Stamp<T>");
}

template <class Outer, std::size_t index, class Part, Use use>
constexpr void part_may_cross();

template <class Outer, Use use, class... Part, std::size_t... index>
constexpr void parts_may_cross(TypeList<Part...>, std::index_sequence<index...>) {
  (part_may_cross<Outer, index, std::remove_const_t<Part>, use>(), ...);
}

// Goes down to the first parts that are refused on their own account.
template <class Outer, std::size_t index, class Part, Use use>
constexpr void part_may_cross() {
  constexpr Reason kWhyNot = kReason<Part, use>;
  if constexpr (kWhyNot == Reason::in_a_part) {
    using Parts = decltype(parts_of<Part>());
    parts_may_cross<Part, kUseOfParts<Part, use>>(Parts{}, std::make_index_sequence<Parts::size>{});
  } else {
    say_why_not_meaningful<kWhyNot, Outer, index, Part>();
    say_why_layout_unknown<kWhyNot, Outer, index, Part>();
  }
}

struct TheTypeItself;

}  // namespace internal

// May live in shared memory and be used there by several processes at once.
template <class T>
concept Shareable = internal::kReason<T, internal::Use::in_place>
== internal::Reason::none;

// May be copied into shared memory and out of it.
template <class T>
concept Message = internal::kReason<T, internal::Use::copied>
== internal::Reason::none;

// Compile only for such a T; otherwise the error says what is wrong, in which part, and what to do.
template <class T>
constexpr bool require_shareable() {
  internal::part_may_cross<internal::TheTypeItself, 0, std::remove_const_t<T>,
                           internal::Use::in_place>();
  return true;
}
template <class T>
constexpr bool require_message() {
  internal::part_may_cross<internal::TheTypeItself, 0, std::remove_const_t<T>,
                           internal::Use::copied>();
  return true;
}

}  // namespace kith
