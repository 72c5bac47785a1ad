// The entry of a libFuzzer target; KITH_HOSTILE_TARGET says which. `-help=1` names its options.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/hostile/execution.hpp"
#include "tests/hostile/mutator.hpp"
#include "tests/hostile/seeds.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace kith::hostile {
namespace {

Stage& stage() {
  static Stage only(Target::KITH_HOSTILE_TARGET);
  return only;
}

}  // namespace
}  // namespace kith::hostile

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::hostile::stage().run(kith::hostile::script_from({data, size}));
  return 0;
}

// Half by who knows the layout, half by who knows which paths are new.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  using namespace kith::hostile;
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  const std::vector<Script> pool{script_from({data, size})};
  const auto bytes =
      bytes_of(Mutator(stage().world(), Target::KITH_HOSTILE_TARGET, seed).from(pool));
  const std::size_t length = std::min(bytes.size(), most);
  std::memcpy(data, bytes.data(), length);
  return length;
}
