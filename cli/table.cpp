#include "cli/table.hpp"

#include <algorithm>

#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeast = 8;  // characters of a cut cell, below which cutting helps nobody

std::string padded(const Cell& cell, std::size_t width, bool right, const Style& style) {
  const std::string space(width - std::min(width, cell.text.size()), ' ');
  const std::string text = style.paint(cell.text, cell.tone);
  return right ? space + text : text + space;
}

std::string cut(std::string text, std::size_t room) {
  if (text.size() <= room) return text;
  text.resize(room - 3);
  return text + "...";
}

void drop_trailing_space(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

Cell::Cell(const std::string& words, Tone how) : text(printable(words)), tone(how) {}

// 0 for a column that has nothing to show.
std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].text.size());
    }
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] != 0) widths[i] = std::max(widths[i], columns_[i].head.size());
  }
  return widths;
}

std::string Table::text(const Style& style) const {
  const auto all = widths();
  std::size_t last = 0;
  std::size_t room = 0;  // that all columns together take
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == 0) continue;
    room += all[i] + kGap;
    last = i;
  }
  const std::size_t before_last = room - std::min(room, all[last] + kGap);
  const auto line_of = [&](const std::vector<Cell>& row) {
    std::string line;
    for (std::size_t i = 0; i < last; ++i) {
      if (all[i] == 0) continue;
      line += padded(row[i], all[i], columns_[i].numbers, style) + std::string(kGap, ' ');
    }
    Cell end = row[last];
    if (style.columns && *style.columns >= before_last + kLeast) {
      end.text = cut(end.text, *style.columns - before_last);
    }
    const bool right = columns_[last].numbers;
    line += padded(end, right ? all[last] : end.text.size(), right, style);
    drop_trailing_space(line);
    return line + "\n";
  };
  std::vector<Cell> head;
  for (const Column& column : columns_) head.emplace_back(column.head, Tone::strong);
  // A list of facts has no heads.
  std::string text = columns_.front().head.empty() ? "" : line_of(head);
  for (const auto& row : rows_) text += line_of(row);
  return text;
}

}  // namespace kith::cli
