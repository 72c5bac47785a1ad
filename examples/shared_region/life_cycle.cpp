// life_cycle: what can happen to the name and to the memory of a region, step by step.
//
// It plays two processes with two handles; for the library there is no difference.
#include <atomic>
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

namespace {

using namespace kith;

struct Settings {
  std::atomic<int> speed = 3;  // what it is before anybody can see it
  std::atomic<int> limit;      // zero
};

void say(const char* what, bool is_so) {
  std::cout << what << ": " << (is_so ? "yes" : "no") << std::endl;
}

void create_and_open(const Domain& domain) {
  const auto mine = Region<Settings>::create(domain, "settings");
  const auto theirs = Region<Settings>::open(domain, "settings");
  theirs->speed.store(7, std::memory_order_relaxed);
  say("two handles share one memory", mine->speed.load(std::memory_order_relaxed) == 7);
  try {
    static_cast<void>(Region<Settings>::create(domain, "settings"));
  } catch (const Error& error) {
    // The text tells whether the owner lives, so that nobody removes what is in use.
    say("a second creation is refused", error.code() == Errc::already_exists);
  }
}  // Closing unmaps and removes nothing.

void remove(const Domain& domain) {
  auto settings = Region<Settings>::open(domain, "settings");
  say("it outlived its handles", settings->speed.load(std::memory_order_relaxed) == 7);
  say("removal is refused while it is in use",
      remove_object(domain, "settings") == Removal::in_use);

  // By force: the name goes, those attached keep their memory and can find out.
  say("removed by force", remove_object(domain, "settings", Force::yes) == Removal::removed);
  say("orphaned", settings.is_orphaned());
  settings->speed.store(8, std::memory_order_relaxed);

  const auto newer = Region<Settings>::create(domain, "settings");
  say("a newer one of that name is another memory",
      newer->speed.load(std::memory_order_relaxed) == 3);
  settings.reattach(Deadline::now());
  say("reattached to the newer one", !settings.is_orphaned());
}

void lifetimes(const Domain& domain) {
  say("removed when nobody uses it", remove_object(domain, "settings") == Removal::removed);
  auto last = Region<Settings>::create(domain, "shared", {.lifetime = Lifetime::until_last_member});
  auto other = Region<Settings>::open(domain, "shared");
  last.close();
  say("stays while a handle is open", !other.is_orphaned());
  other.close();
  say("gone with the last handle", remove_object(domain, "shared") == Removal::not_found);
  // Lifetime::while_creator_lives is played by two processes: holder.cpp and watcher.cpp.
}

}  // namespace

int main() {
  try {
    const Domain domain = Domain::standard();
    create_and_open(domain);
    remove(domain);
    lifetimes(domain);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
