// The world in which a subject of the step killer lives and dies: one domain of its own, and the
// questions that every survivor asks in the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kith/region/domain.hpp"

#include "testkit/step_killer.hpp"

namespace kith::prove {

class World {
 public:
  explicit World(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] Domain domain() const { return Domain::at(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

  // A subject with its place, its watch and its end filled in.
  [[nodiscard]] testkit::Subject subject(const std::string& name) const;
  // Reaps and cleans; then every object of the domain must be removable without force and nothing
  // may be left: "" or "leak: ...".
  [[nodiscard]] std::string nothing_is_left() const;
  // A channel's books: nobody pins without a role, and the roles are as many as told.
  [[nodiscard]] std::string books_balance(const std::string& channel, std::uint32_t held,
                                          std::uint32_t pinned_at_most) const;

 private:
  std::string path_;
};

// Runs `work` in a child and kills it with SIGKILL when it returns, so that it dies with everything
// it holds. Returns when it is gone.
void die_after(const std::function<void()>& work);

// "" if `fact` holds, else `text`.
[[nodiscard]] std::string demand(bool fact, const std::string& text);

}  // namespace kith::prove
