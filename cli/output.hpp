// Output: where a command's answer and its complaints go, as text for people or JSON for programs.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kith/base/error.hpp"
#include "kith/inspect/progress.hpp"

#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace kith::cli {

using Json = nlohmann::ordered_json;

// Options that every command has.
struct CommonOptions {
  std::string domain;  // empty: the standard one
  bool json = false;
  std::string colour = "auto";
};

// The exit code that belongs to an error.
[[nodiscard]] int exit_code_of(const Error& error);
// "not_found": the word by which programs know an error.
[[nodiscard]] const char* word_of(Errc code);

// What went wrong, for standard error.
struct Complaint {
  Complaint(std::string word, std::string sentence)
      : code(std::move(word)), text(std::move(sentence)) {}
  explicit Complaint(const Error& error);

  std::string code;  // of an error's kind: "in_use", "usage"
  std::string text;  // a sentence
  ErrorText parts{};
};

// One line: "kith: text", or with `json` the object {"error": {...}}.
void complain(const Complaint& complaint, bool json);

class Output {
 public:
  explicit Output(const CommonOptions& options)
      : json_(options.json), style_(output_style(options.colour)) {}

  [[nodiscard]] bool json() const noexcept { return json_; }
  [[nodiscard]] const Style& style() const noexcept { return style_; }

  // On standard output.
  void line(std::string_view text, Tone tone = Tone::plain) const;
  void heading(std::string_view text) const { line(text, Tone::strong); }
  void table(const Table& table) const;
  void document(const Json& document) const;
  // On standard error.
  void complain(const Complaint& complaint) const { cli::complain(complaint, json_); }

 private:
  bool json_;
  Style style_;
};

// A line on standard error that counts, from the second second on, at a terminal only; gone with
// this object.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Must not outlive this.
  [[nodiscard]] Progress progress();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::uint64_t done, std::uint64_t total);

  std::string what_;
  bool possible_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace kith::cli
