// System calls of an operation: recorded from the real thing by tracing it, counted, and issued
// again bare, so that what the library adds can be told from what the kernel takes.
//
//   const auto calls = record_system_calls([&] {
//     auto thing = std::make_shared<Thing>();           // in the traced process
//     return TwoSteps{[=] { thing->open(); }, [=] { thing->close(); }};
//   });
//   BareSequence bare(calls.first);
//   bare.issue();                         // the same calls, with the same arguments
//
// States       a record is a value; a BareSequence holds what its calls opened and mapped until
//              close() or its end.
// Callers      one thread; recording needs the right to trace one's own child.
// A peer dies  the traced child dies with the tracer.
// Cost         recording: a few ms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kith::bench {

struct SystemCall {
  long number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::array<std::vector<std::byte>, 6> bytes{};  // what those that point to something pointed to
  long result = 0;
};

[[nodiscard]] std::string name_of(const SystemCall& call);

struct TwoSteps {
  std::function<void()> first;
  std::function<void()> second;
};
struct CallsOfTwoSteps {
  std::vector<SystemCall> first;
  std::vector<SystemCall> second;
};

// What the two steps that `make` returns ask of the kernel when they are called once more, after
// `warm` calls of both. `make` is called in the process that is traced: roles taken before belong
// to another. Throws std::runtime_error where tracing is refused or a step throws.
[[nodiscard]] CallsOfTwoSteps record_system_calls(const std::function<TwoSteps()>& make,
                                                  int warm = 3);

// Throws if there is a call among them that it does not know how to issue again.
class BareSequence {
 public:
  explicit BareSequence(std::vector<SystemCall> calls);

  // Issues all of them. Descriptors and addresses that came out differently are put in place of the
  // recorded ones; memory that is written to is thrown away.
  void issue() noexcept;
  // What the last mmap() gave.
  [[nodiscard]] std::byte* mapped() const noexcept { return mapped_; }
  [[nodiscard]] std::size_t mapped_size() const noexcept { return mapped_size_; }
  // Calls that belong to the same life, such as the munmap() of what was mapped: they see the
  // descriptors and addresses of `before`.
  void continue_after(const BareSequence& before) noexcept;
  // Did the last issue() give the same results, descriptors and addresses aside?
  [[nodiscard]] bool same_results() const noexcept { return same_results_; }

 private:
  struct Prepared {
    SystemCall call;
    int descriptor_at = -1;  // which argument is a descriptor, an address, a lock
    int address_at = -1;
    int lock_at = -1;
    bool gives_descriptor = false;
    bool gives_address = false;
  };

  std::vector<Prepared> calls_;
  std::array<long, 64> descriptors_{};  // recorded -> ours
  std::uint64_t recorded_address_ = 0;
  std::byte* mapped_ = nullptr;
  std::size_t mapped_size_ = 0;
  std::array<std::byte, 4096> thrown_away_{};
  bool same_results_ = true;
};

}  // namespace kith::bench
