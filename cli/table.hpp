// Table: rows of text in columns, for people. Whatever a cell holds, it stays in its line.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace kith::cli {

struct Column {
  std::string head;
  bool numbers = false;  // set to the right
};

struct Cell {
  Cell(const std::string& words, Tone how = Tone::plain);
  Cell(const char* words) : Cell(std::string(words)) {}

  std::string text;  // printable ASCII; anything else became '?'
  Tone tone;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool is_empty() const noexcept { return rows_.empty(); }

  // Aligned, each line ended; a column without any text is left out. Where the style knows a width,
  // the last column is cut to fit.
  [[nodiscard]] std::string text(const Style& style) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace kith::cli
