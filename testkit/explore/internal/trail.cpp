#include "testkit/explore/internal/trail.hpp"

#include <sstream>

namespace kith::testkit::explore::internal {

std::string Trail::text() const {
  std::size_t end = choices_.size();
  while (end > 0 && choices_[end - 1].taken == 0) --end;
  std::string text;
  for (std::size_t i = 0; i < end;) {
    std::size_t same = i;
    while (same < end && choices_[same].taken == choices_[i].taken) ++same;
    if (!text.empty()) text += ' ';
    text += std::to_string(choices_[i].taken);
    if (same - i > 1) {
      text += '*';
      text += std::to_string(same - i);
    }
    i = same;
  }
  return text.empty() ? "0" : text;
}

Trail Trail::from_text(const std::string& text) {
  Trail trail;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t star = word.find('*');
    std::size_t repeats = 1;
    std::size_t used = 0;
    std::uint32_t taken = 0;
    try {
      taken = static_cast<std::uint32_t>(std::stoul(word, &used));
      if (star != std::string::npos) repeats = std::stoul(word.substr(star + 1));
    } catch (const std::logic_error&) {
      used = 0;
    }
    if (used != std::min(star, word.size()) || repeats > 100'000) {
      throw std::invalid_argument("`" + word + "` is no choice: write numbers, as 0 2 1*3");
    }
    trail.choices_.insert(trail.choices_.end(), repeats, {taken, 0});
  }
  return trail;
}

}  // namespace kith::testkit::explore::internal
