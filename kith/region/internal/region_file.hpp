// The life cycle of a region's file: born whole, opened by many, retired once.
//
// Published by linkat of an unnamed, complete file, so a creator killed half-way leaves nothing.
// Four kernel locks on the file itself (RegionLock in layout.hpp) carry the rest; they die with
// their holders, so no step of a dead process blocks anybody:
//   use      shared, by every attached handle. While one is held nobody retires the file unforced.
//   creator  exclusive, by the creator: its life.
//   remove   exclusive, by who unlinks. Only under it does the name of a region go away, so "the
//            name still stands for my inode" cannot change between the check and the unlink.
//   admin    exclusive, by who changes roles or named objects.
// An opener takes `use` first and then looks whether the file is retired and still has its name; a
// remover takes `use` exclusively (unless by force), then `remove`, then looks. Whichever comes
// second to `use` is refused or sees the other's decision, so two attached holders of one name
// always share one inode.
#pragma once

#include <optional>
#include <string>

#include "kith/base/deadline.hpp"
#include "kith/os/file.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/lifetime.hpp"

namespace kith::internal {

// A file of a region opened by name: checked to be ours, whole, and of a format we speak.
struct RegionFile {
  os::Descriptor directory;
  os::Descriptor file;
  os::FileIdentity identity;
  RegionFacts facts;
};

// Opens and checks; nothing is locked yet. Who takes locks through the file holds a ForkGuard.
// Empty if there is no such name. Throws Error for whatever else stands there.
[[nodiscard]] std::optional<RegionFile> open_region_file(const Domain& domain,
                                                         const std::string& name,
                                                         const std::string& object);

// Bytes of the file of a region with so much content: whole pages, the header's included.
[[nodiscard]] std::uint64_t region_file_size(std::uint64_t content_size,
                                             const os::Descriptor& file) noexcept;

// True if `name` still stands for `identity`.
[[nodiscard]] bool name_stands_for(const os::Descriptor& directory, const std::string& name,
                                   const os::FileIdentity& identity);

// Nobody can be using this file any more by its own rules: its removal was decided, or it was to
// live with its creator, who is dead.
[[nodiscard]] bool is_over(const RegionFile& region);

// Takes the name away, then marks the file retired for those attached, whoever they are; finishes
// what a killed remover began. False if another remover is at it right now. Where the directory
// refuses, the name still stands for the file and nothing happened.
bool retire(const RegionFile& region, const std::string& name);

// Removes `name` if nobody is attached, or by force; by force also what kith made and can no longer
// be opened. With `only`, nothing but that very file.
[[nodiscard]] Removal remove_region(const Domain& domain, const std::string& name, Force force,
                                    const os::FileIdentity* only = nullptr);

// Where no object is left, nobody's word can stand in one: removes the member table too, unless a
// member lives, and the directory, if it is the private default.
void tidy_domain(const Domain& domain) noexcept;

// A file that has no name yet, or a temporary one where the file system knows no unnamed files.
class Newborn {
 public:
  Newborn(const Domain& domain, const std::string& object);
  Newborn(const Newborn&) = delete;
  Newborn& operator=(const Newborn&) = delete;
  ~Newborn();

  [[nodiscard]] const os::Descriptor& file() const noexcept { return file_; }
  [[nodiscard]] const os::Descriptor& directory() const noexcept { return directory_; }
  enum class Published {
    yes,
    taken,           // the name stands for something
    directory_gone,  // the last to leave removed the empty directory: begin anew
  };
  [[nodiscard]] Published publish(const std::string& name, const std::string& object);
  // The file, to be kept open beyond the birth; a forked child inherits it from now on.
  [[nodiscard]] os::Descriptor keep_file() noexcept;

 private:
  void adopt(os::Descriptor file);

  os::Descriptor directory_;
  os::Descriptor
      file_;  // closed in children born meanwhile: it holds locks that must be ours alone
  std::string temporary_name_;
};

// Removes what creators killed half-way left behind: temporary names (only on file systems without
// unnamed files), and satellites of objects that never got a name. Returns how many.
int remove_stillborn(const os::Descriptor& directory);

// "its creator (writer, process 4711) is alive", for errors.
[[nodiscard]] std::string describe_users(const RegionFile& region);

// The right to change roles and named objects of one region: a kernel lock on its file, which is
// opened anew by name and compared, because handles hold no descriptor.
class AdminLock {
 public:
  enum class Answer { held, timed_out, orphaned, failed };

  AdminLock(const Domain& domain, const std::string& name, const os::FileIdentity& identity,
            Deadline deadline) noexcept;

  [[nodiscard]] Answer answer() const noexcept { return answer_; }
  [[nodiscard]] int error() const noexcept { return error_; }  // errno where the answer is failed
  [[nodiscard]] const os::Descriptor& file() const noexcept { return file_; }
  // Throws the Error that fits unless the lock is held.
  void require(const std::string& object) const;

 private:
  Answer attempt(const Domain& domain, const std::string& name,
                 const os::FileIdentity& identity) noexcept;

  std::optional<os::ForkGuard> no_forks_;  // a child born now would keep the lock alive
  os::Descriptor file_;
  Answer answer_ = Answer::failed;
  int error_ = 0;
};

}  // namespace kith::internal
