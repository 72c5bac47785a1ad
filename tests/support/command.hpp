// The command `kith`, run to its end in a domain; what it said on each of its two outputs.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/wait.h>

#include "tests/support/scratch_domain.hpp"

namespace kith::tests {

using Json = nlohmann::json;

struct Ran {
  int status = -1;
  std::string out;
  std::string err;

  [[nodiscard]] bool said(const std::string& words) const {
    return out.find(words) != std::string::npos;
  }
  [[nodiscard]] bool complained(const std::string& words) const {
    return err.find(words) != std::string::npos;
  }
  // What is no JSON is null.
  [[nodiscard]] Json document() const { return parsed(out); }
  [[nodiscard]] Json error() const { return parsed(err).value("error", Json()); }

 private:
  static Json parsed(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_object() ? json : Json::object();
  }
};

// `before` stands before the command in the shell: variables, "exec".
class Command {
 public:
  [[nodiscard]] Ran run(const std::string& arguments, const std::string& before = "") const {
    const std::string out = files_.in("out");
    const std::string err = files_.in("err");
    const std::string line =
        before + " '" KITH_COMMAND "' " + arguments + " < /dev/null > " + out + " 2> " + err;
    Ran ran;
    const int status = std::system(line.c_str());
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ran.out = text_of(out);
    ran.err = text_of(err);
    return ran;
  }

 private:
  static std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ScratchDirectory files_{"/tmp"};
};

// The one of the array whose `key` has this value; null if there is none.
inline Json find_in(const Json& array, const std::string& key, const Json& value) {
  for (const Json& entry : array) {
    if (entry.is_object() && entry.contains(key) && entry.at(key) == value) return entry;
  }
  return Json();
}

}  // namespace kith::tests
