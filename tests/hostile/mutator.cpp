#include "tests/hostile/mutator.hpp"

#include <algorithm>

#include "tests/hostile/operations.hpp"
#include "tests/hostile/seeds.hpp"

namespace kith::hostile {

Script Mutator::from(std::span<const Script> pool) {
  Script script = pool[below(pool.size())];
  if (target_ == Target::flips && below(2) == 0) {  // one field, from the beginning
    script = usual_script(script.kind);
    Step flip = some_wrong_field(script.kind);
    if (flip.deed == Deed::poke) flip.deed = Deed::flip;
    script.steps.insert(script.steps.begin(), std::move(flip));
    return script;
  }
  const std::uint64_t changes = 1 + below(6);
  for (std::uint64_t i = 0; i < changes; ++i) change(script, pool);
  // What is cut or flipped meanwhile begins early, or there is nothing left to be in its way.
  if (target_ != Target::operations) {
    Step step = some_deed(script.kind);
    script.steps.insert(
        script.steps.begin() + static_cast<std::ptrdiff_t>(below(script.steps.size() / 2 + 1)),
        std::move(step));
  }
  if (script.steps.size() > kStepsMax) script.steps.resize(kStepsMax);
  return script;
}

void Mutator::insert(Script& script, Step step) {
  const auto place = static_cast<std::ptrdiff_t>(below(script.steps.size() + 1));
  script.steps.insert(script.steps.begin() + place, std::move(step));
}

void Mutator::change(Script& script, std::span<const Script> pool) {
  auto& steps = script.steps;
  switch (below(8)) {
    case 0:
      if (!steps.empty())
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(below(steps.size())));
      break;
    case 1:
    case 2:
      insert(script, some_call());
      break;
    case 3:
      if (!steps.empty())
        steps[below(steps.size())].argument = static_cast<std::uint8_t>(random_());
      break;
    case 4: {  // another one's end, of whatever kind it is
      const Script& other = pool[below(pool.size())];
      const std::size_t from = below(other.steps.size() + 1);
      steps.resize(below(steps.size() + 1));
      steps.insert(steps.end(), other.steps.begin() + static_cast<std::ptrdiff_t>(from),
                   other.steps.end());
      break;
    }
    case 5: {  // as a fuzzer without any knowledge does it
      std::vector<std::uint8_t> bytes = bytes_of(script);
      for (std::uint64_t i = below(8); i > 0; --i) {
        bytes[below(bytes.size())] = static_cast<std::uint8_t>(random_());
      }
      script = script_from(bytes);
      break;
    }
    default:
      insert(script, some_deed(script.kind));
  }
}

Step Mutator::some_call() {
  Step step;
  // Looking at all processes takes as long as a hundred other calls.
  const std::uint8_t show = operation_named("show");
  step.call = static_cast<std::uint8_t>(below(operations().size()));
  if (step.call == show && below(16) != 0) step.call = operation_named("facts");
  step.argument = static_cast<std::uint8_t>(random_());
  return step;
}

Step Mutator::some_wrong_field(Kind kind) {
  const auto& images = world_.images(kind);
  const auto file = static_cast<std::uint8_t>(below(images.size()));
  const Places& places = images[file].places;
  const auto wrong = wrong_fields(images[file], file, places[below(places.size())]);
  return wrong[below(wrong.size())];
}

Step Mutator::some_deed(Kind kind) {
  Step step = some_wrong_field(kind);
  const auto& image = world_.images(kind)[step.file];
  const bool may_cut = target_ == Target::truncation || target_ == Target::sealed;
  if (may_cut && below(2) == 0) {
    step.deed = below(2) == 0 ? Deed::cut : Deed::cut_meanwhile;
    if (below(2) == 0) step.offset = static_cast<std::uint32_t>(below(image.size + 8192));
    return step;
  }
  if (below(4) == 0) {  // anything, anywhere
    step.deed = Deed::overwrite;
    step.offset = static_cast<std::uint32_t>(below(image.size));
    step.bytes.resize(1 + below(below(8) == 0 ? 2048 : 16));
    for (std::uint8_t& byte : step.bytes) byte = static_cast<std::uint8_t>(random_());
  } else if (step.deed == Deed::poke && below(3) == 0) {
    step.value = below(2) == 0 ? random_() : step.value + below(64);
  }
  if (step.deed == Deed::poke && target_ != Target::operations && below(4) != 0) {
    step.deed = Deed::flip;
  }
  return step;
}

}  // namespace kith::hostile
