#include "kith/channel/internal/latest_shape.hpp"

namespace kith::internal {

static_assert(sizeof(LatestControl<RealAtomics>) <= LatestShape::kWriterOffset);
static_assert(LatestShape::kWriterOffset + sizeof(RoleRecord<RealAtomics>) <=
              LatestShape::kCellsOffset);
static_assert(sizeof(LatestShape::Cell) == 256);
static_assert(kJoinedWords * sizeof(std::uint64_t) <= LatestShape::kGuestCellsOffset);

std::optional<LatestShape> LatestShape::from(const RegionFacts& facts, Part part) noexcept {
  const auto& [readers, payload, flags, spares, guests, a, b, object] = facts.geometry;
  if (readers < 1 || readers > kLatestReadersMax) return std::nullopt;
  if (payload < 1 || payload > kLatestPayloadMax || flags > 1) return std::nullopt;
  if (spares > kLatestSparesMax || guests > kLatestReadersMax) return std::nullopt;
  if ((a | b) != 0 || (object != 0) != (part != Part::own)) return std::nullopt;
  const LatestShape shape{static_cast<std::uint32_t>(readers), payload, flags == 1,
                          static_cast<std::uint32_t>(spares), static_cast<std::uint32_t>(guests)};
  if (part != Part::own && guests == 0) return std::nullopt;
  const std::uint64_t size = part == Part::own    ? shape.content_size()
                             : part == Part::data ? shape.data_size()
                                                  : shape.seats_size();
  if (size != facts.content_size) return std::nullopt;
  return shape;
}

}  // namespace kith::internal
