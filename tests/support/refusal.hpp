// What a refusal must be: an Error of the right code whose text names the object and says something
// telling. Most functions return what is wrong with it, and nothing if all is well, so that parents
// assert it (EXPECT_EQ(..., "")) and children report it; error_of() is for looking closer.
#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <grp.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <iterator>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "kith/base/error.hpp"

#include "tests/support/child.hpp"

namespace kith::tests {

inline std::string why_not_refused(const std::function<void()>& action, Errc code,
                                   std::initializer_list<std::string> words) {
  try {
    action();
  } catch (const Error& error) {
    const std::string text = error.what();
    std::string wrong;
    if (error.errc() != code) wrong += "[not " + make_error_code(code).message() + "] ";
    for (const std::string& word : words) {
      if (text.find(word) == std::string::npos) wrong += "[no word of " + word + "] ";
    }
    return wrong.empty() ? "" : wrong + text;
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "it was not refused";
}

// What went wrong in an action that must succeed.
inline std::string why_refused(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

// The Error that `call` throws, in words that can be looked into; fails the test if it throws none.
template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(Errc::system, {});
}

template <class Call>
Errc errc_of(Call call) {
  return error_of(std::move(call)).errc();
}

// The code of the Error that `call` throws, for children that assert nothing; 0 if none.
template <class Call>
int code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return static_cast<int>(error.errc());
  }
  return 0;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Bytes of a header replaced in place.
inline void patch(const std::string& path, std::size_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
}

// What a body found in a process of its own.
class Findings {
 public:
  void that(bool holds, const std::string& what) {
    if (!holds) failures_ += "not so: " + what + "\n";
  }
  // For the functions above.
  void nothing(const std::string& wrong, const std::string& what) {
    if (!wrong.empty()) failures_ += what + ": " + wrong + "\n";
  }
  void skip(const std::string& reason) { skipped_ = reason; }
  [[nodiscard]] const std::string& failures() const { return failures_; }
  [[nodiscard]] const std::string& skipped() const { return skipped_; }

 private:
  std::string failures_;
  std::string skipped_;
};

struct Verdict {
  std::string failures;  // empty: all is well
  std::string skipped;   // why nothing could be tried
};

// Runs `body` in a forked child, whose limits, mounts and user it may change. A crash and a hang
// are failures.
inline Verdict in_own_process(const std::function<void(Findings&)>& body,
                              std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  Child child([&] {
    Findings findings;
    findings.that(why_refused([&] { body(findings); }).empty(),
                  "the body ran to its end without an exception");
    // A pipe takes 64 KiB without a reader.
    const std::string said = findings.skipped() + "\n" + findings.failures().substr(0, 60'000);
    return ::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1;
  });
  const int status = child.wait(patience);
  ::close(ends[1]);
  std::string said;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    said.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  Verdict verdict;
  verdict.skipped = said.substr(0, said.find('\n'));
  if (said.find('\n') != std::string::npos) verdict.failures = said.substr(said.find('\n') + 1);
  if (status != 0) verdict.failures += "the process ended with " + std::to_string(status);
  return verdict;
}

// From here on mounts are this process's alone and vanish with it. Why not, if the kernel refuses.
inline std::string enter_own_mounts() {
  if (::unshare(CLONE_NEWNS) == 0 &&
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
    return "";
  }
  return std::string("a mount namespace was refused: ") + std::strerror(errno);
}

inline std::string mount_tmpfs(const std::string& directory, const std::string& size) {
  if (::mount("none", directory.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) return "";
  return std::string("mounting a tmpfs was refused: ") + std::strerror(errno);
}

// Becomes `user` for good.
inline std::string become_user(unsigned user) {
  if (::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
      ::setresuid(user, user, user) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0) {
    return "";
  }
  return std::string("becoming another user was refused: ") + std::strerror(errno);
}

}  // namespace kith::tests
