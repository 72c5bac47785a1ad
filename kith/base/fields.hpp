// Fields of an aggregate, known at compile time: how many, of which types, at which offsets.
//
//   struct Pose { double x; int id[4]; };
//   internal::kFieldCount<Pose>                  // 2
//   internal::FieldTypes<Pose>                   // TypeList<double, int[4]>
//   internal::kFieldOffsets<Pose>                // {0, 8}
//
// Internal. C++20 has no reflection, so three properties of the language stand in for it: an
// aggregate of n fields can be made from up to n empty braces; a structured binding names each of
// its fields, C arrays included; and the address of a field can be compared with the address of a
// byte of a union in a constant expression, so offsets are those the compiler really uses,
// `alignas` included. At most 64 fields, because the bindings must be written out. Nothing is run
// and no T is ever made. Not for unions, nor for classes with a base: ask shareable.hpp, which
// refuses those first.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace kith::internal {

inline constexpr std::size_t kFieldsMax = 64;
inline constexpr std::size_t kUncountable = static_cast<std::size_t>(-1);

template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
};

// Fields as they were declared, and whether one of them is a bit-field (or packed).
template <bool has_bit_field, class... Field>
struct Shape {
  using Types = TypeList<Field...>;
  static constexpr bool kHasBitField = has_bit_field;
};

// A reference that is not const binds to every field except a bit-field. Called by its full name,
// so that no namespace of a field's type (std::bind!) has a say; so is places_of.
template <class... Field>
void take_whole(Field&...);

// Not std::addressof: <memory> would cost every user a tenth of a second to compile.
template <class... Field>
constexpr std::array<const void*, sizeof...(Field)> places_of(Field&... field) {
  return {static_cast<const void*>(__builtin_addressof(field))...};
}

// A T that is never made: only the addresses of its parts are looked at.
template <class T>
union Ghost {
  char none;
  char bytes[sizeof(T)];
  T value;
  constexpr Ghost() : none() {}
};
template <class T>
inline constexpr Ghost<T> kGhost{};

template <class T, std::size_t count>
inline constexpr bool kTakes = false;
template <class T>
inline constexpr bool kTakes<T, 0> = requires {
  T{};
};

template <class T, std::size_t count>
struct Split;
template <class T>
struct Split<T, 0> {
  static Shape<false> shape(T&);
  static constexpr std::array<const void*, 0> places() { return {}; }
};

// The lists of names, written once: KITH_FIELDS_n(M) is M(f1), ..., M(fn).
#define KITH_FIELDS_1(M) M(f1)
#define KITH_FIELDS_2(M) KITH_FIELDS_1(M), M(f2)
#define KITH_FIELDS_3(M) KITH_FIELDS_2(M), M(f3)
#define KITH_FIELDS_4(M) KITH_FIELDS_3(M), M(f4)
#define KITH_FIELDS_5(M) KITH_FIELDS_4(M), M(f5)
#define KITH_FIELDS_6(M) KITH_FIELDS_5(M), M(f6)
#define KITH_FIELDS_7(M) KITH_FIELDS_6(M), M(f7)
#define KITH_FIELDS_8(M) KITH_FIELDS_7(M), M(f8)
#define KITH_FIELDS_9(M) KITH_FIELDS_8(M), M(f9)
#define KITH_FIELDS_10(M) KITH_FIELDS_9(M), M(f10)
#define KITH_FIELDS_11(M) KITH_FIELDS_10(M), M(f11)
#define KITH_FIELDS_12(M) KITH_FIELDS_11(M), M(f12)
#define KITH_FIELDS_13(M) KITH_FIELDS_12(M), M(f13)
#define KITH_FIELDS_14(M) KITH_FIELDS_13(M), M(f14)
#define KITH_FIELDS_15(M) KITH_FIELDS_14(M), M(f15)
#define KITH_FIELDS_16(M) KITH_FIELDS_15(M), M(f16)
#define KITH_FIELDS_17(M) KITH_FIELDS_16(M), M(f17)
#define KITH_FIELDS_18(M) KITH_FIELDS_17(M), M(f18)
#define KITH_FIELDS_19(M) KITH_FIELDS_18(M), M(f19)
#define KITH_FIELDS_20(M) KITH_FIELDS_19(M), M(f20)
#define KITH_FIELDS_21(M) KITH_FIELDS_20(M), M(f21)
#define KITH_FIELDS_22(M) KITH_FIELDS_21(M), M(f22)
#define KITH_FIELDS_23(M) KITH_FIELDS_22(M), M(f23)
#define KITH_FIELDS_24(M) KITH_FIELDS_23(M), M(f24)
#define KITH_FIELDS_25(M) KITH_FIELDS_24(M), M(f25)
#define KITH_FIELDS_26(M) KITH_FIELDS_25(M), M(f26)
#define KITH_FIELDS_27(M) KITH_FIELDS_26(M), M(f27)
#define KITH_FIELDS_28(M) KITH_FIELDS_27(M), M(f28)
#define KITH_FIELDS_29(M) KITH_FIELDS_28(M), M(f29)
#define KITH_FIELDS_30(M) KITH_FIELDS_29(M), M(f30)
#define KITH_FIELDS_31(M) KITH_FIELDS_30(M), M(f31)
#define KITH_FIELDS_32(M) KITH_FIELDS_31(M), M(f32)
#define KITH_FIELDS_33(M) KITH_FIELDS_32(M), M(f33)
#define KITH_FIELDS_34(M) KITH_FIELDS_33(M), M(f34)
#define KITH_FIELDS_35(M) KITH_FIELDS_34(M), M(f35)
#define KITH_FIELDS_36(M) KITH_FIELDS_35(M), M(f36)
#define KITH_FIELDS_37(M) KITH_FIELDS_36(M), M(f37)
#define KITH_FIELDS_38(M) KITH_FIELDS_37(M), M(f38)
#define KITH_FIELDS_39(M) KITH_FIELDS_38(M), M(f39)
#define KITH_FIELDS_40(M) KITH_FIELDS_39(M), M(f40)
#define KITH_FIELDS_41(M) KITH_FIELDS_40(M), M(f41)
#define KITH_FIELDS_42(M) KITH_FIELDS_41(M), M(f42)
#define KITH_FIELDS_43(M) KITH_FIELDS_42(M), M(f43)
#define KITH_FIELDS_44(M) KITH_FIELDS_43(M), M(f44)
#define KITH_FIELDS_45(M) KITH_FIELDS_44(M), M(f45)
#define KITH_FIELDS_46(M) KITH_FIELDS_45(M), M(f46)
#define KITH_FIELDS_47(M) KITH_FIELDS_46(M), M(f47)
#define KITH_FIELDS_48(M) KITH_FIELDS_47(M), M(f48)
#define KITH_FIELDS_49(M) KITH_FIELDS_48(M), M(f49)
#define KITH_FIELDS_50(M) KITH_FIELDS_49(M), M(f50)
#define KITH_FIELDS_51(M) KITH_FIELDS_50(M), M(f51)
#define KITH_FIELDS_52(M) KITH_FIELDS_51(M), M(f52)
#define KITH_FIELDS_53(M) KITH_FIELDS_52(M), M(f53)
#define KITH_FIELDS_54(M) KITH_FIELDS_53(M), M(f54)
#define KITH_FIELDS_55(M) KITH_FIELDS_54(M), M(f55)
#define KITH_FIELDS_56(M) KITH_FIELDS_55(M), M(f56)
#define KITH_FIELDS_57(M) KITH_FIELDS_56(M), M(f57)
#define KITH_FIELDS_58(M) KITH_FIELDS_57(M), M(f58)
#define KITH_FIELDS_59(M) KITH_FIELDS_58(M), M(f59)
#define KITH_FIELDS_60(M) KITH_FIELDS_59(M), M(f60)
#define KITH_FIELDS_61(M) KITH_FIELDS_60(M), M(f61)
#define KITH_FIELDS_62(M) KITH_FIELDS_61(M), M(f62)
#define KITH_FIELDS_63(M) KITH_FIELDS_62(M), M(f63)
#define KITH_FIELDS_64(M) KITH_FIELDS_63(M), M(f64)

#define KITH_NAME(field) field
#define KITH_TYPE(field) decltype(field)
#define KITH_BRACES(field) \
  {}

// shape() is never called. Its bindings are static because clang 14 lets a `requires` name no
// binding with automatic storage.
#define KITH_SPLIT_NAMED(count, ...)                           \
  template <class T>                                           \
  inline constexpr bool kTakes<T, count> = requires {          \
    T{KITH_FIELDS_##count(KITH_BRACES)};                       \
  };                                                           \
  template <class T>                                           \
  struct Split<T, count> {                                     \
    static auto shape(T& value) {                              \
      static auto& [__VA_ARGS__] = value;                      \
      constexpr bool kWhole = requires {                       \
        internal::take_whole(__VA_ARGS__);                     \
      };                                                       \
      return Shape<!kWhole, KITH_FIELDS_##count(KITH_TYPE)>{}; \
    }                                                          \
    static constexpr std::array<const void*, count> places() { \
      auto& [__VA_ARGS__] = kGhost<T>.value;                   \
      return internal::places_of(__VA_ARGS__);                 \
    }                                                          \
  };
// The names are made once for the four places where they stand.
#define KITH_SPLIT(count) KITH_SPLIT_NAMED(count, KITH_FIELDS_##count(KITH_NAME))

// clang-format off
KITH_SPLIT(1) KITH_SPLIT(2) KITH_SPLIT(3) KITH_SPLIT(4) KITH_SPLIT(5) KITH_SPLIT(6)
KITH_SPLIT(7) KITH_SPLIT(8) KITH_SPLIT(9) KITH_SPLIT(10) KITH_SPLIT(11) KITH_SPLIT(12)
KITH_SPLIT(13) KITH_SPLIT(14) KITH_SPLIT(15) KITH_SPLIT(16) KITH_SPLIT(17) KITH_SPLIT(18)
KITH_SPLIT(19) KITH_SPLIT(20) KITH_SPLIT(21) KITH_SPLIT(22) KITH_SPLIT(23) KITH_SPLIT(24)
KITH_SPLIT(25) KITH_SPLIT(26) KITH_SPLIT(27) KITH_SPLIT(28) KITH_SPLIT(29) KITH_SPLIT(30)
KITH_SPLIT(31) KITH_SPLIT(32) KITH_SPLIT(33) KITH_SPLIT(34) KITH_SPLIT(35) KITH_SPLIT(36)
KITH_SPLIT(37) KITH_SPLIT(38) KITH_SPLIT(39) KITH_SPLIT(40) KITH_SPLIT(41) KITH_SPLIT(42)
KITH_SPLIT(43) KITH_SPLIT(44) KITH_SPLIT(45) KITH_SPLIT(46) KITH_SPLIT(47) KITH_SPLIT(48)
KITH_SPLIT(49) KITH_SPLIT(50) KITH_SPLIT(51) KITH_SPLIT(52) KITH_SPLIT(53) KITH_SPLIT(54)
KITH_SPLIT(55) KITH_SPLIT(56) KITH_SPLIT(57) KITH_SPLIT(58) KITH_SPLIT(59) KITH_SPLIT(60)
KITH_SPLIT(61) KITH_SPLIT(62) KITH_SPLIT(63) KITH_SPLIT(64)
    // clang-format on

    template <class T>
    inline constexpr bool kTakes<T, kFieldsMax + 1> = requires {
  T{KITH_FIELDS_64(KITH_BRACES), {}};
};

#undef KITH_SPLIT
#undef KITH_SPLIT_NAMED
#undef KITH_BRACES
#undef KITH_TYPE
#undef KITH_NAME
#undef KITH_FIELDS_1
#undef KITH_FIELDS_2
#undef KITH_FIELDS_3
#undef KITH_FIELDS_4
#undef KITH_FIELDS_5
#undef KITH_FIELDS_6
#undef KITH_FIELDS_7
#undef KITH_FIELDS_8
#undef KITH_FIELDS_9
#undef KITH_FIELDS_10
#undef KITH_FIELDS_11
#undef KITH_FIELDS_12
#undef KITH_FIELDS_13
#undef KITH_FIELDS_14
#undef KITH_FIELDS_15
#undef KITH_FIELDS_16
#undef KITH_FIELDS_17
#undef KITH_FIELDS_18
#undef KITH_FIELDS_19
#undef KITH_FIELDS_20
#undef KITH_FIELDS_21
#undef KITH_FIELDS_22
#undef KITH_FIELDS_23
#undef KITH_FIELDS_24
#undef KITH_FIELDS_25
#undef KITH_FIELDS_26
#undef KITH_FIELDS_27
#undef KITH_FIELDS_28
#undef KITH_FIELDS_29
#undef KITH_FIELDS_30
#undef KITH_FIELDS_31
#undef KITH_FIELDS_32
#undef KITH_FIELDS_33
#undef KITH_FIELDS_34
#undef KITH_FIELDS_35
#undef KITH_FIELDS_36
#undef KITH_FIELDS_37
#undef KITH_FIELDS_38
#undef KITH_FIELDS_39
#undef KITH_FIELDS_40
#undef KITH_FIELDS_41
#undef KITH_FIELDS_42
#undef KITH_FIELDS_43
#undef KITH_FIELDS_44
#undef KITH_FIELDS_45
#undef KITH_FIELDS_46
#undef KITH_FIELDS_47
#undef KITH_FIELDS_48
#undef KITH_FIELDS_49
#undef KITH_FIELDS_50
#undef KITH_FIELDS_51
#undef KITH_FIELDS_52
#undef KITH_FIELDS_53
#undef KITH_FIELDS_54
#undef KITH_FIELDS_55
#undef KITH_FIELDS_56
#undef KITH_FIELDS_57
#undef KITH_FIELDS_58
#undef KITH_FIELDS_59
#undef KITH_FIELDS_60
#undef KITH_FIELDS_61
#undef KITH_FIELDS_62
#undef KITH_FIELDS_63
#undef KITH_FIELDS_64

// An aggregate takes any number of braces up to its number of fields; a field that cannot be left
// out (a const reference) makes it refuse the small numbers, so the search first climbs to the
// first number taken. Whatever is never taken holds a field that empty braces cannot make.
template <class T, std::size_t count = 0, bool found = false>
constexpr std::size_t count_fields() {
  if constexpr (kTakes<T, count>) {
    if constexpr (count > kFieldsMax)
      return count;
    else
      return count_fields<T, count + 1, true>();
  } else if constexpr (found) {
    return count - 1;
  } else if constexpr (count > kFieldsMax || count > sizeof(T)) {
    return kUncountable;
  } else {
    return count_fields<T, count + 1, false>();
  }
}

// More than kFieldsMax: kFieldsMax + 1. Not to be counted: kUncountable.
template <class T>
inline constexpr std::size_t kFieldCount = count_fields<T>();

template <class T>
using ShapeOf = decltype(Split<T, kFieldCount<T>>::shape(std::declval<T&>()));
template <class T>
using FieldTypes = typename ShapeOf<T>::Types;

// The base comes first in the braces of an aggregate, and only a base is asked for here.
template <class T>
struct AnyBaseOf {
  template <class Base>
  requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>) operator Base() const;
};
template <class T>
inline constexpr bool kHasBase = requires {
  T{AnyBaseOf<T>{}};
};

// The alignment of T as a field: on some 32-bit machines less than that of T alone.
template <class T>
struct AfterByte {
  char byte;
  T value;
};
template <class T>
inline constexpr std::size_t kFieldAlignment = alignof(AfterByte<T>);

constexpr std::size_t round_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

inline constexpr std::size_t kNoOffset = static_cast<std::size_t>(-1);

// A field starts where the one before it ends, rounded up to some power of two: the candidate whose
// byte has the address of the field is its offset. An empty field that shares its place with
// another ([[no_unique_address]]) is found at none of them.
template <class T>
constexpr std::size_t find_offset(const void* place, std::size_t end_of_last) {
  for (std::size_t alignment = 1; alignment <= alignof(T); alignment *= 2) {
    const std::size_t candidate = round_up(end_of_last, alignment);
    if (candidate >= sizeof(T)) continue;
    if (static_cast<const void*>(&kGhost<T>.bytes[candidate]) == place) return candidate;
  }
  return kNoOffset;
}

template <class T, class... Field>
constexpr std::array<std::size_t, sizeof...(Field)> find_offsets(TypeList<Field...>) {
  constexpr std::array<std::size_t, sizeof...(Field)> kSizes{sizeof(Field)...};
  const std::array<const void*, sizeof...(Field)> places = Split<T, sizeof...(Field)>::places();
  std::array<std::size_t, sizeof...(Field)> offsets{};
  std::size_t end = 0;
  for (std::size_t i = 0; i < sizeof...(Field); ++i) {
    offsets[i] = find_offset<T>(places[i], end);
    if (offsets[i] == kNoOffset) break;
    end = offsets[i] + kSizes[i];
  }
  return offsets;
}

// Requires a trivial destructor and no reference, bit-field or base in T.
template <class T>
inline constexpr auto kFieldOffsets = find_offsets<T>(FieldTypes<T>{});

// Every field was found and lies aligned (not so if packed), and what is left behind the last one
// is no more than alignment explains.
template <class T, class... Field>
constexpr bool layout_is_known(TypeList<Field...>) {
  constexpr std::array<std::size_t, sizeof...(Field)> kSizes{sizeof(Field)...};
  if (((kFieldAlignment < std::remove_const_t < Field >>> alignof(T)) || ...)) return false;
  std::size_t end = 1;
  for (std::size_t i = 0; i < sizeof...(Field); ++i) {
    if (kFieldOffsets<T>[i] == kNoOffset) return false;
    end = kFieldOffsets<T>[i] + kSizes[i];
  }
  return round_up(end, alignof(T)) == sizeof(T);
}

}  // namespace kith::internal
