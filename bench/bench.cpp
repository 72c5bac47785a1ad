#include "bench/bench.hpp"

namespace kith::bench {

void Notes::number(const Name& name, const std::string& metric, double value,
                   const std::string& unit) {
  const bool compared = metric == "p50";
  book_.note(
      {name.what, name.peer, name.payload_bytes, metric, unit, value, compared ? name.limit : "",
       compared ? name.minus : std::vector<std::string>(), name.limit_payload_bytes},
      foreign_share_);
}

void Notes::percentiles(const Name& name, const Histogram& times) {
  if (times.count() == 0) return;  // no read came through: there is no time to tell
  number(name, "p50", times.percentile_ns(0.5), "ns");
  number(name, "p90", times.percentile_ns(0.9), "ns");
  number(name, "p99", times.percentile_ns(0.99), "ns");
  number(name, "p99.9", times.percentile_ns(0.999), "ns");
  number(name, "max", times.max_ns(), "ns");
  number(name, "mean", times.mean_ns(), "ns");
}

}  // namespace kith::bench
