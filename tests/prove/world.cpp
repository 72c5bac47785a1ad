#include "tests/prove/world.hpp"

#include <csignal>
#include <filesystem>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "kith/inspect/inspect.hpp"
#include "kith/region/region.hpp"

namespace kith::prove {

testkit::Subject World::subject(const std::string& name) const {
  testkit::Subject subject;
  subject.name = name;
  subject.clean_up = [path = path_] {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  };
  subject.watched = {path_};
  return subject;
}

std::string World::nothing_is_left() const {
  const CleanSummary cleaned = clean_domain(domain(), Roles::drop_vacant);
  if (!cleaned.refused.empty()) return "leak: cleaning refused: " + cleaned.refused[0];
  if (cleaned.members_unreaped != 0) return "leak: a dead member could not be reaped";
  for (const ObjectFacts& object : list_objects(domain())) {
    if (object.in_use) return "leak: '" + object.name + "' counts as in use";
    if (remove_object(domain(), object.name) != Removal::removed) {
      return "leak: '" + object.name + "' could not be removed";
    }
  }
  // Cleaning joined and left: being the last, it took the member table along, unless objects were
  // still there at that moment. Once more, now that they are gone.
  static_cast<void>(clean_domain(domain(), Roles::drop_vacant));
  if (!std::filesystem::exists(path_)) return {};
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    return "leak: " + entry.path().filename().string() + " is left";
  }
  return {};
}

std::string World::books_balance(const std::string& channel, std::uint32_t held,
                                 std::uint32_t pinned_at_most) const {
  const auto facts = latest_facts(domain(), channel);
  if (!facts) return "the channel is gone";
  const std::uint32_t pinned = facts->pinned_held + facts->pinned_vacant;
  if (facts->pinned_by_nobody != 0) return "leak: a message is pinned by nobody";
  if (facts->readers_held != held) {
    return "leak: " + std::to_string(facts->readers_held) + " readers' roles are held, not " +
           std::to_string(held);
  }
  return demand(pinned <= pinned_at_most,
                "leak: " + std::to_string(pinned) + " messages are pinned");
}

void die_after(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) throw std::runtime_error("the one to die could not do its work");
}

std::string demand(bool fact, const std::string& text) {
  return fact ? std::string() : text;
}

}  // namespace kith::prove
