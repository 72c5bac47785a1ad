#include "testkit/step_killer.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "testkit/internal/campaign.hpp"
#include "testkit/internal/nursery.hpp"
#include "testkit/internal/tracee.hpp"

namespace kith::testkit {

// A report crosses from the process that traces to the caller.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Failure, kind, kill_point, inside_call, where, who, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Report, subject, instructions, calls, changes, kills, hangs,
                                   wrong, leaked, skipped, diverged, failures, divergences, broken,
                                   note, seconds)

namespace {

using nlohmann::json;

std::string as_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string outcome_of(const Subject& subject, const Plan& plan) {
  try {
    return as_text(json{{"report", internal::run_campaign(subject, plan)}});
  } catch (const Refused& refused) {
    return as_text(json{{"refused", refused.what()}});
  } catch (const std::exception& error) {
    return as_text(json{{"error", error.what()}});
  }
}

void write_all(int descriptor, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t size = ::write(descriptor, text.data() + done, text.size() - done);
    if (size < 0 && errno != EINTR) return;
    if (size > 0) done += static_cast<std::size_t>(size);
  }
}

std::string read_all(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = ::read(descriptor, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

// A tracing process of its own: it waits for any child and takes SIGCHLD, which would be rude in a
// process whose other children and signals belong to somebody else.
[[noreturn]] void trace_and_report(pid_t parent, int descriptor, const Subject& subject,
                                   const Plan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGCHLD, SIG_DFL);
  write_all(descriptor, outcome_of(subject, plan));
  ::_exit(0);
}

}  // namespace

Report kill_every_step(const Subject& subject, const Plan& plan) {
  if (subject.name.empty() || !subject.operation) {
    throw std::invalid_argument("a subject of the step killer needs a name and an operation");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t tracer = ::fork();
  if (tracer < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (tracer == 0) trace_and_report(parent, ends[1], subject, plan);
  ::close(ends[1]);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(tracer, &status, 0) < 0 && errno == EINTR) {
  }
  const json outcome = json::parse(text, nullptr, false);
  if (outcome.is_discarded()) {
    throw std::runtime_error("the step killer's own process " + internal::how_it_ended(status));
  }
  if (outcome.contains("refused")) throw Refused(outcome["refused"].get<std::string>());
  if (outcome.contains("error")) throw std::runtime_error(outcome["error"].get<std::string>());
  return outcome["report"].get<Report>();
}

std::string why_refused() {
  return internal::why_tracing_is_refused();
}

}  // namespace kith::testkit
