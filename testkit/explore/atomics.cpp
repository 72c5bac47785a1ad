#include "testkit/explore/atomics.hpp"

#include <utility>

#include "testkit/explore/internal/engine.hpp"
#include "testkit/explore/internal/mutants.hpp"

namespace kith::testkit::explore::internal {
namespace {

std::uint64_t bytes_of(const void* word, std::size_t size) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, word, size);
  return bits;
}

const char* text_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

// The order that the mutant under test gives the place.
std::memory_order order_under(Mutation mutation, std::memory_order order) {
  switch (mutation) {
    case Mutation::acquire:
      return std::memory_order_acquire;
    case Mutation::release:
      return std::memory_order_release;
    case Mutation::acq_rel:
      return std::memory_order_acq_rel;
    case Mutation::relaxed:
      return std::memory_order_relaxed;
    default:
      return order;
  }
}

std::memory_order failure_under(Mutation mutation, std::memory_order order) {
  if (mutation == Mutation::failure_acquire) return std::memory_order_acquire;
  if (mutation == Mutation::failure_relaxed) return std::memory_order_relaxed;
  return order;
}

std::uint64_t changed(Change change, std::uint64_t found, std::uint64_t operand) {
  switch (change) {
    case Change::store:
    case Change::exchange:
      return operand;
    case Change::add:
      return found + operand;
    case Change::subtract:
      return found - operand;
    case Change::bit_or:
      return found | operand;
    case Change::bit_and:
      return found & operand;
    case Change::bit_xor:
      return found ^ operand;
  }
  return operand;
}

// The running engine if a process of its model makes this access; else a word is just a word.
Engine* at_work() {
  Engine* engine = Engine::current();
  return engine != nullptr && engine->in_process() ? engine : nullptr;
}

void tell(Engine& engine, const void* word, const std::string& deed, std::uint64_t value,
          std::memory_order order, const Place& at) {
  if (!engine.tells()) return;
  engine.tell(
      engine.name_of(word) + deed + engine.value_of(word, value) + "  (" + text_of(order) + ")",
      at);
}

void remember(Engine& engine, const void* word, std::uint64_t value) {
  if (a_mutant_remembers()) engine.self().told[word] = value;
}

}  // namespace

void construct_word(const void* word, std::size_t size, bool is_payload) {
  if (Engine* engine = Engine::current()) {
    engine->memory().add(word, bytes_of(word, size), is_payload);
  }
}

std::uint64_t load_word(const void* word, std::size_t size, std::memory_order order,
                        const Place& at) {
  Engine* engine = at_work();
  if (engine == nullptr) return bytes_of(word, size);
  const Mutation mutation = mutation_at(at, Access::load, order, order);
  if (mutation == Mutation::remembered) {
    const auto& told = engine->self().told;
    if (const auto before = told.find(word); before != told.end()) {
      count_use();
      return before->second;
    }
  }
  order = order_under(mutation, order);
  engine->before_access();
  Location& location = engine->memory().at(word, bytes_of(word, size));
  const std::size_t older = engine->choose_older(location, order);
  const std::uint64_t value = engine->memory().load(location, engine->running(), order, older);
  engine->note(value);
  engine->self().changed = false;
  remember(*engine, word, value);
  tell(*engine, word, older == 0 ? " is " : " still reads ", value, order, at);
  return value;
}

std::uint64_t change_word(void* word, std::size_t size, Change change, std::uint64_t operand,
                          std::memory_order order, const Place& at) {
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * size);
  Engine* engine = at_work();
  if (engine == nullptr) {
    const std::uint64_t found = bytes_of(word, size);
    const std::uint64_t value = changed(change, found, operand) & mask;
    std::memcpy(word, &value, size);
    if (Engine* builder = Engine::current()) {
      Memory& memory = builder->memory();
      memory.store(memory.at(word, found), kProcessesMax, std::memory_order_seq_cst, value);
    }
    return found;
  }
  const bool plain = change == Change::store;
  const Mutation mutation = mutation_at(at, plain ? Access::store : Access::change, order, order);
  order = order_under(mutation, order);
  engine->before_access();
  Memory& memory = engine->memory();
  Location& location = memory.at(word, bytes_of(word, size));
  const std::uint64_t found = location.value;
  std::uint64_t value = changed(change, found, operand) & mask;
  if (mutation == Mutation::skipped) return found;
  if (plain) {
    memory.store(location, engine->running(), order, value);
  } else {
    memory.exchange(location, engine->running(), order, value);
    engine->note(found);
  }
  std::memcpy(word, &value, size);
  engine->self().changed = true;
  remember(*engine, word, value);
  tell(*engine, word, plain ? " := " : " becomes ", value, order, at);
  return found;
}

namespace {

// Of a compare-exchange that fails although the newest value might do: what older value it found.
std::size_t choose_other(Engine& engine, const Location& location, std::uint64_t expected,
                         std::memory_order order) {
  const std::size_t older = engine.choose_older(location, order);
  // It may fail by any value but the expected one.
  return engine.memory().peek(location, older) == expected ? 0 : older;
}

}  // namespace

bool compare_word(void* word, std::size_t size, std::uint64_t& expected, std::uint64_t wanted,
                  const Orders& orders, const Place& at) {
  Engine* engine = at_work();
  if (engine == nullptr) {
    const std::uint64_t found = bytes_of(word, size);
    if (found == expected) change_word(word, size, Change::store, wanted, orders.success, at);
    return found == std::exchange(expected, found);
  }
  const Mutation mutation = mutation_at(at, Access::compare, orders.success, orders.failure);
  const std::memory_order success = order_under(mutation, orders.success);
  const std::memory_order failure = failure_under(mutation, orders.failure);
  engine->before_access();
  Memory& memory = engine->memory();
  Location& location = memory.at(word, bytes_of(word, size));
  const std::size_t older = choose_other(*engine, location, expected, failure);
  const bool exchanges =
      mutation != Mutation::skipped &&
      ((older == 0 && location.value == expected) || mutation == Mutation::unconditional);
  if (exchanges) {
    memory.exchange(location, engine->running(), success, wanted);
    engine->note(wanted);
    std::memcpy(word, &wanted, size);
    engine->self().changed = true;
    remember(*engine, word, wanted);
    tell(*engine, word, " as expected becomes ", wanted, success, at);
    return true;
  }
  expected = memory.load(location, engine->running(), failure, older);
  engine->note(expected);
  engine->self().changed = false;
  remember(*engine, word, expected);
  tell(*engine, word, " is not as expected but ", expected, failure, at);
  return false;
}

void fence(std::memory_order order, const Place& at) {
  Engine* engine = at_work();
  if (engine == nullptr) return;
  const Mutation mutation = mutation_at(at, Access::fence, order, order);
  if (mutation == Mutation::skipped) return;
  engine->memory().fence(engine->running(), order_under(mutation, order));
  if (engine->tells()) engine->tell(std::string("fence  (") + text_of(order) + ")", at);
}

std::uint64_t read_payload(const void* payload, std::size_t size, const Place& at) {
  Engine* engine = at_work();
  if (engine == nullptr) return bytes_of(payload, size);
  Memory& memory = engine->memory();
  // Under weak memory a race is one in whatever order: no need to try them all.
  if (!memory.is_weak()) engine->before_access();
  const std::uint64_t value = bytes_of(payload, size);
  const std::string race = memory.read_payload(memory.at(payload, value), engine->running());
  engine->note(value);
  engine->self().changed = false;
  tell(*engine, payload, " holds ", value, std::memory_order_relaxed, at);
  if (!race.empty()) engine->fail(engine->name_of(payload) + ": " + race);
  return value;
}

void write_payload(void* payload, std::size_t size, std::uint64_t value, const Place& at) {
  Engine* engine = at_work();
  if (engine != nullptr && !engine->memory().is_weak()) engine->before_access();
  Engine* builder = Engine::current();
  if (builder != nullptr) {
    Memory& memory = builder->memory();
    const std::size_t process = engine != nullptr ? engine->running() : kProcessesMax;
    const std::string race =
        memory.write_payload(memory.at(payload, bytes_of(payload, size)), process, value);
    if (engine != nullptr) {
      engine->self().changed = true;
      engine->note(1);
      tell(*engine, payload, " is filled with ", value, std::memory_order_relaxed, at);
      if (!race.empty()) engine->fail(engine->name_of(payload) + ": " + race);
    }
  }
  std::memcpy(payload, &value, size);
}

}  // namespace kith::testkit::explore::internal
