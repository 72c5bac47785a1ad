// fingerprint<T>(): 64 bits that tell whether two programs mean the same bytes by T.
//
//   struct Pose { double x, y; std::int32_t id; };
//   constexpr std::uint64_t mine = kith::fingerprint<Pose>();    // stored in the stamp of a region
//   kith::type_name<Pose>();                                     // "Pose", for the error's text
//
// What      A hash over the structure: of every leaf its kind (signed, unsigned, float, bool,
//           character, an enum as its underlying type), size and offset; of every array its extent;
//           how structs nest; the unit of a duration. Equal for every compiler that lays T out
//           equally, whatever T and its fields are called. Reordering, retyping, resizing, adding
//           or nesting fields changes it. A name or number stated with Stamp<T> is mixed in.
// Left out  Alignment alone: what it does to the layout is in the offsets and sizes, so a 32-bit
//           peer that lays T out equally has the same fingerprint. Word size and byte order: the
//           stamp keeps them apart. Meaning: two fields of one type that swap places look the same.
// States    none; a constant.
// Callers   any. A T that is not Shareable does not compile, with a reason.
// Death     of a peer changes nothing here.
// Cost      none at run time. An array costs one element, however long it is.
// Not for   hashing values, and not against forgery: it finds mistakes, not enemies.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kith/base/fields.hpp"
#include "kith/base/shareable.hpp"

namespace kith {
namespace internal {

// These numbers are part of the format: a changed one is a new fingerprint for every type.
enum class Kind : std::uint64_t {
  boolean = 1,
  character = 2,
  signed_integer = 3,
  unsigned_integer = 4,
  floating = 5,
  array = 6,
  structure = 7,
  end_of_structure = 8,
  optional = 9,
  complex = 10,
  duration = 11,
  time_point = 12,
  bitset = 13,
  atomic = 14,
  stated = 15,
  name = 16,
};

// FNV-1a over 64-bit words, taken byte by byte from the lowest.
class Hash {
 public:
  constexpr void add(std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte) {
      value_ = (value_ ^ (word & 0xff)) * 0x0000'0100'0000'01b3;
      word >>= 8;
    }
  }
  constexpr void add(Kind kind, std::size_t size, std::size_t offset) {
    add(static_cast<std::uint64_t>(kind));
    add(size);
    add(offset);
  }
  constexpr std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

template <class T>
inline constexpr bool kIsCharacter = false;
template <>
inline constexpr bool kIsCharacter<char> = true;
template <>
inline constexpr bool kIsCharacter<char8_t> = true;
template <>
inline constexpr bool kIsCharacter<char16_t> = true;
template <>
inline constexpr bool kIsCharacter<char32_t> = true;
template <>
inline constexpr bool kIsCharacter<wchar_t> = true;

template <class T>
consteval Kind kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return Kind::boolean;
  else if constexpr (kIsCharacter<T>)
    return Kind::character;
  else if constexpr (std::is_floating_point_v<T>)
    return Kind::floating;
  else
    return std::is_signed_v<T> ? Kind::signed_integer : Kind::unsigned_integer;
}

template <class T>
struct Describe;

template <class T>
constexpr void describe(Hash& hash, std::size_t offset) {
  Describe<std::remove_const_t<T>>::add_to(hash, offset);
}

template <class T>
constexpr void describe_leaf(Hash& hash, std::size_t offset) {
  hash.add(kind_of<T>(), sizeof(T), offset);
  // A long double of 16 bytes has 64 digits here and 113 or 106 on other machines.
  if constexpr (std::is_floating_point_v<T>) hash.add(std::numeric_limits<T>::digits);
}

template <class Struct, class... Field, std::size_t... index>
constexpr void describe_fields(Hash& hash, std::size_t offset, TypeList<Field...>,
                               std::index_sequence<index...>) {
  (describe<Field>(hash, offset + kFieldOffsets<Struct>[index]), ...);
}

// Scalars, plain structs, and types whose stamp is stated by hand.
template <class T>
struct Describe {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    if constexpr (NameDeclared<T>) {
      const std::string_view name = Stamp<T>::name;
      hash.add(Kind::name, name.size(), offset);
      for (const char letter : name) hash.add(static_cast<unsigned char>(letter));
    }
    if constexpr (FingerprintStated<T>) {
      hash.add(Kind::stated, sizeof(T), offset);
      hash.add(Stamp<T>::fingerprint);
    } else if constexpr (std::is_enum_v<T>) {
      describe_leaf<std::underlying_type_t<T>>(hash, offset);
    } else if constexpr (std::is_arithmetic_v<T>) {
      describe_leaf<T>(hash, offset);
    } else {
      hash.add(Kind::structure, sizeof(T), offset);
      describe_fields<T>(hash, offset, FieldTypes<T>{}, std::make_index_sequence<kFieldCount<T>>{});
      hash.add(Kind::end_of_structure, 0, 0);
    }
  }
};

// The first element stands for all: the others lie behind it at multiples of its size.
template <class Element>
constexpr void describe_array(Hash& hash, std::size_t extent, std::size_t offset) {
  hash.add(Kind::array, sizeof(Element), offset);
  hash.add(extent);
  describe<Element>(hash, offset);
}
template <class T, std::size_t extent>
struct Describe<T[extent]> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    describe_array<T>(hash, extent, offset);
  }
};
template <class T, std::size_t extent>
struct Describe<std::array<T, extent>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    describe_array<T>(hash, extent, offset);
  }
};

// A pair is the struct of its two members; the assertion holds the library to that.
template <class First, class Second>
struct Describe<std::pair<First, Second>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    using Pair = std::pair<First, Second>;
    constexpr std::size_t kSecond = round_up(sizeof(First), kFieldAlignment<Second>);
    static_assert(round_up(kSecond + sizeof(Second), alignof(Pair)) == sizeof(Pair));
    hash.add(Kind::structure, sizeof(Pair), offset);
    describe<First>(hash, offset);
    describe<Second>(hash, offset + kSecond);
    hash.add(Kind::end_of_structure, 0, 0);
  }
};

template <class T>
struct Describe<std::optional<T>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::optional, sizeof(std::optional<T>), offset);
    describe<T>(hash, offset);
  }
};
template <template <class> class C, class T>
requires ComplexNumber<C<T>, T>
struct Describe<C<T>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::complex, sizeof(C<T>), offset);
    describe<T>(hash, offset);
  }
};

// Seconds and milliseconds have one layout; the unit tells them apart.
template <class Count, class Period>
struct Describe<std::chrono::duration<Count, Period>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::duration, static_cast<std::size_t>(0), offset);
    hash.add(static_cast<std::uint64_t>(Period::type::num));
    hash.add(static_cast<std::uint64_t>(Period::type::den));
    describe<Count>(hash, offset);
  }
};
// Clocks have no names both compilers agree on; steady or not is what confuses people.
template <class Clock, class Duration>
struct Describe<std::chrono::time_point<Clock, Duration>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::time_point, Clock::is_steady ? 1 : 0, offset);
    describe<Duration>(hash, offset);
  }
};
template <std::size_t extent>
struct Describe<std::bitset<extent>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::bitset, sizeof(std::bitset<extent>), offset);
    hash.add(extent);
  }
};
template <class T>
struct Describe<std::atomic<T>> {
  static constexpr void add_to(Hash& hash, std::size_t offset) {
    hash.add(Kind::atomic, sizeof(std::atomic<T>), offset);
    describe<T>(hash, offset);
  }
};

// The compiler's own text for T: between "T = " and what follows it, "; ..." or "]".
template <class T>
constexpr std::string_view compilers_name() {
  constexpr std::string_view kText = __PRETTY_FUNCTION__;
  constexpr std::size_t kBegin = kText.find("T = ") + 4;
  constexpr std::size_t kSemicolon = kText.find(';', kBegin);
  constexpr std::size_t kEnd = kSemicolon == std::string_view::npos ? kText.rfind(']') : kSemicolon;
  return kText.substr(kBegin, kEnd - kBegin);
}

// `long` and `long long` may be one type in memory, so integers are named by their bits.
template <class T>
constexpr std::string_view integer_name() {
  constexpr std::array<std::string_view, 4> kSigned{"int8_t", "int16_t", "int32_t", "int64_t"};
  constexpr std::array<std::string_view, 4> kUnsigned{"uint8_t", "uint16_t", "uint32_t",
                                                      "uint64_t"};
  constexpr std::size_t kIndex = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  return std::is_signed_v<T> ? kSigned[kIndex] : kUnsigned[kIndex];
}

}  // namespace internal

// Never 0, which in a stamp means bytes without a type.
template <class T>
consteval std::uint64_t fingerprint() {
  require_shareable<T>();
  internal::Hash hash;
  if constexpr (Shareable<T>) internal::describe<T>(hash, 0);
  return hash.value() == 0 ? 1 : hash.value();
}

// For people only. The declared name if there is one, else what the compiler calls T.
template <class T>
constexpr std::string_view type_name() {
  using Plain = std::remove_cv_t<T>;
  if constexpr (internal::NameDeclared<Plain>)
    return Stamp<Plain>::name;
  else if constexpr (std::is_integral_v<Plain> && !std::is_same_v<Plain, bool> &&
                     !internal::kIsCharacter<Plain>) {
    return internal::integer_name<Plain>();
  } else {
    return internal::compilers_name<Plain>();
  }
}

}  // namespace kith
