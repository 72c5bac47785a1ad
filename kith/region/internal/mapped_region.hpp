// MappedRegion: one handle on one region, over bytes. Region<T> and the channels are faces over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/base/deadline.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/truncation_guard.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/internal/file_rights.hpp"
#include "kith/region/internal/region_file.hpp"
#include "kith/region/internal/satellite.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/lifetime.hpp"

namespace kith::internal {

// What a program asks of a region it creates or opens. Kinds of regions that have more to say when
// one is created or opened derive from it. Virtual functions, because <functional> would cost every
// user a tenth of a second to compile.
struct RegionSpec {
  RegionSpec() = default;
  RegionSpec& operator=(const RegionSpec&) = delete;
  virtual ~RegionSpec();

  // Creating: what an object for guests needs beside its own file, once its rights are known to
  // have some; asked only of a kind that knows guests.
  [[nodiscard]] virtual bool knows_guests() const;
  [[nodiscard]] virtual std::vector<SatelliteSpec> satellites(const FileRights& rights) const;
  // Fills the zeroed content before anybody can see it.
  virtual void fill(std::byte* content) const;
  // Opening: throws if the region, of the right kind and type, still is not what was asked for.
  virtual void accept(const RegionFacts& facts, const std::string& object) const;

  std::string kind;                // part of the stamp
  std::uint64_t fingerprint = 0;   // part of the stamp; 0 for plain bytes
  std::string type_name;           // shown, never compared
  std::uint64_t content_size = 0;  // opening: 0 accepts any size
  bool any_size_opens = false;     // content_size is for creation only; `accept` judges the rest
  Geometry geometry{};             // written at creation; `accept` compares it
  // Content bytes that get real pages at creation; the rest is address space until somebody
  // allocates it. All of the content by default.
  std::optional<std::uint64_t> allocated_now;
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};

 protected:
  RegionSpec(const RegionSpec&) = default;  // a copy of this part alone would forget the kind's own
};

// Plain bytes, with nothing more to say.
struct BytesSpec final : RegionSpec {
  explicit BytesSpec(std::uint64_t size) {
    kind = "bytes";
    content_size = size;
  }
};

// Throws invalid_argument for a new region of no bytes.
void require_bytes(const std::string& name, std::uint64_t size);

class MappedRegion {
 public:
  // Each throws Error. create: already_exists tells whether the owner lives.
  static MappedRegion create(const Domain& domain, const std::string& name, const RegionSpec& spec);
  static MappedRegion open(const Domain& domain, const std::string& name, const RegionSpec& spec,
                           Deadline deadline);
  static MappedRegion open_or_create(const Domain& domain, const std::string& name,
                                     const RegionSpec& spec, Deadline deadline);
  // Opens whatever kind stands there, for tools and reapers; empty if nothing does. Such a handle
  // only looks: it takes no use lock, so it neither keeps the object alive nor, being the last to
  // close, removes it.
  static std::optional<MappedRegion> observe(const Domain& domain, const std::string& name);
  // The same for the domain's member table, whose name no user's object can have.
  static std::optional<MappedRegion> observe_members(const Domain& domain);

  MappedRegion() noexcept = default;
  MappedRegion(MappedRegion&&) noexcept = default;
  MappedRegion& operator=(MappedRegion&& other) noexcept;
  ~MappedRegion() { close(); }

  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }
  [[nodiscard]] std::byte* content() const noexcept { return mapping_.data() + kRegionHeaderSize; }
  [[nodiscard]] std::uint64_t content_size() const noexcept { return facts_.content_size; }
  [[nodiscard]] const RegionFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const Domain& domain() const noexcept { return *domain_; }
  [[nodiscard]] const os::FileIdentity& identity() const noexcept { return identity_; }
  [[nodiscard]] std::string object() const;
  [[nodiscard]] bool created_here() const noexcept { return created_here_; }
  // Somebody else was attached at the moment this handle was opened.
  [[nodiscard]] bool found_in_use() const noexcept { return found_in_use_; }

  // The name is gone or stands for a newer object, or the object was to live with its creator, who
  // is dead. Three system calls.
  [[nodiscard]] bool is_orphaned() const noexcept;
  // The file itself, opened anew and compared. Throws orphaned.
  [[nodiscard]] os::Descriptor reopen() const;

  // Somebody cut the file short under us; see guard_truncation().
  [[nodiscard]] bool has_lost_pages() const noexcept { return pages_.lost(); }
  [[nodiscard]] const os::GuardedPages& pages() const noexcept { return pages_; }

  // Detaches; carries out the lifetime. Afterwards the handle is null.
  void close() noexcept;

 private:
  static std::optional<MappedRegion> observe_file(const Domain& domain, const std::string& name);
  static std::optional<MappedRegion> attempt_open(const Domain& domain, const std::string& name,
                                                  const RegionSpec& spec);
  void map(const os::Descriptor& file);
  void fill(const Newborn& newborn, const RegionSpec& spec, const FileRights& rights);
  [[nodiscard]] bool publish(Newborn& newborn);
  static std::optional<MappedRegion> attempt_create(const Domain& domain, const std::string& name,
                                                    const RegionSpec& spec);
  void take_creator_lock(const os::Descriptor& file);
  void end_life(std::uint32_t lifetime, bool creator) const noexcept;

  std::optional<Domain> domain_;
  std::string name_;
  RegionFacts facts_;
  os::FileIdentity identity_;
  os::Mapping mapping_;
  os::GuardedPages pages_;     // after what it guards, so that it ends first
  os::Descriptor kept_;        // only where a mapping does not keep the use lock
  os::HeldLock creator_lock_;  // only in the handle that created the region
  std::uint64_t process_mark_ = 0;
  bool created_here_ = false;
  bool found_in_use_ = false;
  bool observes_ = false;
};

}  // namespace kith::internal
