// who_is_there: the processes and the objects of a domain, and giving back what the dead held.
#include <iostream>

#include "kith/base/error.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"

namespace {

using namespace kith;

const char* text_of(Liveness liveness) {
  switch (liveness) {
    case Liveness::alive:
      return "alive";  // running or stopped
    case Liveness::dead:
      return "dead";
    case Liveness::unknown:
      break;
  }
  return "unknown";
}

void look() {
  const Domain domain = Domain::standard();
  const Member me = Member::join(domain);  // reaps whoever died before
  std::cout << "reaped at joining: " << me.reaped_at_joining().reaped << '\n';
  for (const MemberFacts& member : me.members()) {
    std::cout << member.program << (member.id == me.id() ? " (this one)" : "") << ": "
              << text_of(member.liveness) << '\n';
  }
  for (const ObjectFacts& object : list_objects(domain)) {
    std::cout << object.name << ": " << object.kind << ", "
              << (object.in_use ? "in use" : "not in use") << '\n';
    if (const auto books = latest_facts(domain, object.name)) {
      std::cout << "  value " << books->sequence << ", readers " << books->readers_held
                << ", leaked " << books->pinned_by_nobody << '\n';
    }
  }
  // Ends what was to end with the dead. Roles::drop_vacant would also end named roles that wait for
  // their holders to come back.
  const CleanSummary cleaned = clean_domain(domain, Roles::keep);
  std::cout << "removed: " << cleaned.objects_removed << '\n';
}

}  // namespace

int main() {
  try {
    look();
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
