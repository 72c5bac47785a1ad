// What the station publishes and everybody may read.
#pragma once

#include <cstdint>

struct Weather {
  double degrees;
  double wind;
};
