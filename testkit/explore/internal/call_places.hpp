// The places from which the code under test calls the modelled kernel, as calls.hpp finds them.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "testkit/explore/mutation.hpp"

namespace kith::testkit::explore::internal {

class CallPlaces {
 public:
  using Stack = std::array<std::uintptr_t, 6>;  // return addresses, the innermost first

  void add(const char* name, Mutation mutation, const Stack& stack);
  // Of all calls that were added and come from files whose path contains `within`, directly or
  // through functions in files whose path contains `through`.
  [[nodiscard]] std::vector<Mutant> mutants(const std::string& within,
                                            const std::string& through) const;

 private:
  struct Call {
    std::string name;
    Mutation mutation;
    Stack stack;
    friend bool operator<(const Call& a, const Call& b) {
      return std::tie(a.name, a.mutation, a.stack) < std::tie(b.name, b.mutation, b.stack);
    }
  };
  std::set<Call> calls_;
};

void collect_calls(CallPlaces* to);  // null: no longer
void apply_to_calls(const Mutant* mutant);

}  // namespace kith::testkit::explore::internal
