// A program that joins a domain and says whom it found dead; handles_test starts it.
#include <exception>
#include <iostream>

#include "kith/member/member.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  try {
    const auto member = kith::Member::join(kith::Domain::at(arguments[1]));
    const auto [reaped, unreaped] = member.reaped_at_joining();
    std::cout << "reaped " << reaped << ", unreaped " << unreaped << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
