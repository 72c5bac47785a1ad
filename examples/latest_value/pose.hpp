// What the two programs exchange. Both include this file; were it different in one of them, opening
// the channel would fail with both layouts named.
#pragma once

struct Pose {
  double x, y;
  bool arrived;
};
