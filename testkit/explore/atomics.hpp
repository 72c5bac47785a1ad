// The atomics of a model: words, payloads and fences whose every use the explorer orders. A core
// that is a template over its atomics takes `Atomics` where it ships with std::atomic.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "testkit/explore/explore.hpp"

namespace kith::testkit::explore {
namespace internal {

// A word is its address and its size, 1 to 8 bytes; these read and write the bytes themselves.
void construct_word(const void* word, std::size_t size, bool is_payload);
std::uint64_t load_word(const void* word, std::size_t size, std::memory_order order,
                        const Place& at);
enum class Change { store, exchange, add, subtract, bit_or, bit_and, bit_xor };
// Returns what was there.
std::uint64_t change_word(void* word, std::size_t size, Change change, std::uint64_t operand,
                          std::memory_order order, const Place& at);
struct Orders {
  std::memory_order success;
  std::memory_order failure;
};
// True if exchanged; else `expected` is what was found.
bool compare_word(void* word, std::size_t size, std::uint64_t& expected, std::uint64_t wanted,
                  const Orders& orders, const Place& at);
void fence(std::memory_order order, const Place& at);
std::uint64_t read_payload(const void* payload, std::size_t size, const Place& at);
void write_payload(void* payload, std::size_t size, std::uint64_t value, const Place& at);

template <class T>
[[nodiscard]] std::uint64_t bits_of(T value) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
[[nodiscard]] T value_of(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace internal

// Has std::atomic's face, size and bytes.
template <class T>
class Word {
 public:
  Word() noexcept { internal::construct_word(this, sizeof(T), false); }
  Word(T value) noexcept : value_(value) {  // NOLINT: as std::atomic
    internal::construct_word(this, sizeof(T), false);
  }
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  [[nodiscard]] T load(std::memory_order order = std::memory_order_seq_cst,
                       Place at = Place::current()) const noexcept {
    return internal::value_of<T>(internal::load_word(this, sizeof(T), order, at));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst,
             Place at = Place::current()) noexcept {
    static_cast<void>(change(internal::Change::store, value, order, at));
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             Place at = Place::current()) noexcept {
    return change(internal::Change::exchange, value, order, at);
  }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst,
              Place at = Place::current()) noexcept {
    return change(internal::Change::add, value, order, at);
  }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst,
              Place at = Place::current()) noexcept {
    return change(internal::Change::subtract, value, order, at);
  }
  T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst,
             Place at = Place::current()) noexcept {
    return change(internal::Change::bit_or, value, order, at);
  }
  T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst,
              Place at = Place::current()) noexcept {
    return change(internal::Change::bit_and, value, order, at);
  }
  T fetch_xor(T value, std::memory_order order = std::memory_order_seq_cst,
              Place at = Place::current()) noexcept {
    return change(internal::Change::bit_xor, value, order, at);
  }
  bool compare_exchange_strong(T& expected, T wanted, std::memory_order success,
                               std::memory_order failure, Place at = Place::current()) noexcept {
    std::uint64_t found = internal::bits_of(expected);
    const bool exchanged = internal::compare_word(this, sizeof(T), found, internal::bits_of(wanted),
                                                  {success, failure}, at);
    if (!exchanged) expected = internal::value_of<T>(found);
    return exchanged;
  }
  // Never fails for no reason: who can bear that loops, and a loop is not made longer here.
  bool compare_exchange_weak(T& expected, T wanted, std::memory_order success,
                             std::memory_order failure, Place at = Place::current()) noexcept {
    return compare_exchange_strong(expected, wanted, success, failure, at);
  }

  // For books at the end: no access.
  [[nodiscard]] T peek() const noexcept { return value_; }

 private:
  T change(internal::Change how, T operand, std::memory_order order, const Place& at) noexcept {
    return internal::value_of<T>(
        internal::change_word(this, sizeof(T), how, internal::bits_of(operand), order, at));
  }

  T value_{};
};

// What is not atomic: bytes that only one may touch while another writes. Under sequential memory
// its words interleave, and are judged by what they hold; under weak memory a race is found.
template <class T>
class Payload {
 public:
  Payload() noexcept { internal::construct_word(this, sizeof(T), true); }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  [[nodiscard]] T read(Place at = Place::current()) const {
    return internal::value_of<T>(internal::read_payload(this, sizeof(T), at));
  }
  void write(T value, Place at = Place::current()) {
    internal::write_payload(this, sizeof(T), internal::bits_of(value), at);
  }
  [[nodiscard]] T peek() const noexcept { return value_; }

 private:
  T value_{};
};

struct Atomics {
  template <class T>
  using Word = explore::Word<T>;

  static void fence(std::memory_order order, Place at = Place::current()) noexcept {
    internal::fence(order, at);
  }
};

}  // namespace kith::testkit::explore
