// Contains the library and looks whether the domain that is named is there; joins nothing.
#include "kith/region/domain.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  return kith::Domain::at(arguments[1]).exists() ? 0 : 1;
}
