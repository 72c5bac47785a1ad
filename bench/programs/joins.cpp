// Joins the domain that is named, and leaves it.
#include "kith/member/member.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto me = kith::Member::join(kith::Domain::at(arguments[1]));
  return me.id() == kith::MemberId{} ? 1 : 0;
}
