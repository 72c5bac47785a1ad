#include "kith/region/internal/stamp.hpp"

#include "kith/os/process.hpp"
#include "kith/os/random.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

std::string type_text(const std::string& kind, const std::string& type_name, std::uint64_t size,
                      std::uint64_t fingerprint) {
  std::string text = kind;
  if (!type_name.empty()) text += " of " + type_name;
  text += ", " + bytes_text(size);
  if (fingerprint != 0) text += ", layout " + std::to_string(fingerprint);
  return text;
}

}  // namespace

void write_stamp(RegionHeader& header, const RegionSpec& spec, std::uint64_t size) {
  header.magic = kRegionMagic;
  header.byte_order = kByteOrderMark;
  header.format_major = kFormatMajor;
  header.format_minor = kFormatMinor;
  header.word_bits = kWordBits;
  header.lifetime = static_cast<std::uint32_t>(spec.lifetime);
  header.size = size;
  header.content_size = spec.content_size;
  header.fingerprint = spec.fingerprint;
  header.identity = {os::random_number(), os::random_number()};
  header.created_ns = os::wall_clock_ns();
  const auto process = os::this_process();
  header.creator_pid = process.pid;
  header.has_satellites = spec.knows_guests() ? 1 : 0;
  put_text(header.creator_program, process.program);
  put_text(header.kind, spec.kind);
  put_text(header.type_name, spec.type_name);
  header.geometry = spec.geometry;
}

void require_stamp(const RegionFacts& facts, const RegionSpec& spec, const std::string& object) {
  const bool same_size =
      spec.content_size == 0 || spec.any_size_opens || facts.content_size == spec.content_size;
  if (facts.kind != spec.kind || facts.fingerprint != spec.fingerprint || !same_size) {
    const std::uint64_t size = spec.content_size != 0 ? spec.content_size : facts.content_size;
    throw Error(
        Errc::wrong_type,
        {.object = object,
         .expected = type_text(spec.kind, spec.type_name, size, spec.fingerprint),
         .found = type_text(facts.kind, facts.type_name, facts.content_size, facts.fingerprint),
         .remedy = "build both programs from one definition, or remove the old object"});
  }
  spec.accept(facts, object);
}

}  // namespace kith::internal
