// What a mesh was asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/region/domain.hpp"

namespace kith::mesh {

inline constexpr std::uint32_t kProcessesMin = 2;
inline constexpr std::uint32_t kProcessesMax = 1000;

struct Pause {
  std::chrono::milliseconds shortest;
  std::chrono::milliseconds longest;
};
// As in the seed program: a person can follow the lines.
inline constexpr Pause kReadablePause{std::chrono::milliseconds(300),
                                      std::chrono::milliseconds(1000)};
// With chaos: most of the time somebody is in the middle of something when it is killed.
inline constexpr Pause kBusyPause{std::chrono::milliseconds(0), std::chrono::milliseconds(5)};

struct Options {
  std::uint32_t processes = 3;
  std::uint64_t size = 8;
  Pause pause = kReadablePause;
  std::optional<std::chrono::duration<double>> seconds;
  std::optional<std::chrono::milliseconds> chaos;
  bool quiet = false;                 // no line for each read and write
  bool json = false;                  // a document at the end; lines go to standard error
  std::string domain;                 // empty: the standard one
  std::optional<std::uint32_t> only;  // run this process, and no other, here
  std::uint32_t supervisor = 0;       // PID of the supervisor that started this process

  [[nodiscard]] Domain place() const;
  // How long a process waits for its roles: its former life may still be dying, or, with a
  // supervisor, the processes of an earlier run be ending. In a terminal somebody waits for an
  // answer.
  [[nodiscard]] std::chrono::seconds role_patience() const {
    return std::chrono::seconds(supervisor != 0 ? 30 : 3);
  }
  // The arguments with which the supervisor starts process `index`.
  [[nodiscard]] std::vector<std::string> arguments_for(std::uint32_t index) const;
};

// "5..20" or "7". Throws std::invalid_argument with a sentence.
[[nodiscard]] Pause parse_pause(const std::string& text);
// Throws std::invalid_argument with a sentence if the options contradict each other.
void check(const Options& options);

}  // namespace kith::mesh
