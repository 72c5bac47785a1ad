#include "kith/region/domain.hpp"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/base/name.hpp"
#include "kith/os/process.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith {
namespace {

constexpr std::uint32_t kPrivateDirectory = 0700;
constexpr std::uint32_t kOthersMayWrite = 0002;

std::string default_path() {
  return "/dev/shm/kith-" + std::to_string(os::effective_user());
}

std::string object_text(const std::string& path) {
  return "domain " + path;
}

}  // namespace

Domain Domain::standard(DomainOptions options) {
  std::string named = os::environment("KITH_DOMAIN");
  if (!named.empty()) return at(std::move(named), options);
  return Domain(default_path(), options, true);
}

Domain Domain::at(std::string directory, DomainOptions options) {
  if (directory.empty()) {
    throw Error(Errc::invalid_argument, {.object = "domain",
                                         .expected = "the path of a directory",
                                         .found = "an empty one",
                                         .remedy = "name a directory, as in /dev/shm/my-domain"});
  }
  // Absolute from the beginning: the program may change its working directory.
  directory = std::filesystem::absolute(directory).lexically_normal();
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  const bool private_default = directory == default_path();
  return Domain(std::move(directory), options, private_default);
}

Domain::Domain(std::string path, DomainOptions options, bool private_default)
    : path_(std::move(path)), options_(options), private_default_(private_default) {
  if (options.members_max < 1 || options.members_max > 65'535) {
    throw Error(Errc::invalid_argument, {.object = object_text(path_),
                                         .expected = "1 to 65535 members at most",
                                         .found = std::to_string(options.members_max),
                                         .remedy = "change DomainOptions::members_max"});
  }
}

bool Domain::exists() const {
  const auto facts = os::facts_of_path(path_);
  return facts && facts.value.kind == os::FileKind::directory;
}

os::FileIdentity Domain::first_identity() const noexcept {
  return {std::atomic_ref(identity_.device).load(std::memory_order_relaxed),
          std::atomic_ref(identity_.inode).load(std::memory_order_relaxed)};
}

bool Domain::is_orphaned() const {
  const os::FileIdentity first = first_identity();
  if (first == os::FileIdentity{}) return false;
  const auto facts = os::facts_of_path(path_);
  return !facts || facts.value.identity != first;
}

std::vector<std::string> Domain::names() const {
  if (os::facts_of_path(path_).error == ENOENT) return {};
  auto listed = os::names_in(open());
  if (!listed) throw internal::system_error(object_text(path_), "listing it", listed.error);
  std::erase_if(listed.value, [](const std::string& name) {
    return !why_not_a_name(name, kObjectNameMax).empty();
  });
  return std::move(listed.value);
}

os::Descriptor Domain::open() const {
  auto directory = os::open_directory(path_);
  if (!directory) {
    const auto facts = os::facts_of_path(path_);
    if (facts && facts.value.kind != os::FileKind::directory) {
      throw Error(Errc::not_ours,
                  {.object = object_text(path_),
                   .expected = "a directory",
                   .found = internal::describe(facts.value.kind),
                   .remedy = "name a directory, with KITH_DOMAIN or as the domain's path"});
    }
    throw internal::system_error(object_text(path_), "opening the directory", directory.error);
  }
  check(directory.value);
  return std::move(directory.value);
}

void Domain::check(const os::Descriptor& directory) const {
  const auto facts = os::facts_of(directory);
  if (!facts) throw internal::system_error(object_text(path_), "looking at it", facts.error);
  const std::uint32_t self = os::effective_user();
  // Root may look into anybody's domain, but never takes a squatted default for its own.
  const bool may_be_foreign = self == 0 && !private_default_;
  if (facts.value.owner != self && !may_be_foreign) {
    throw Error(Errc::wrong_owner,
                {.object = object_text(path_),
                 .expected = "a directory of user " + std::to_string(self),
                 .found = "one of user " + std::to_string(facts.value.owner),
                 .remedy = "have that user or root remove it, or set KITH_DOMAIN to a directory of "
                           "your own"});
  }
  if ((facts.value.permissions & kOthersMayWrite) != 0) {
    throw Error(Errc::permission_denied,
                {.object = object_text(path_),
                 .expected = "a directory that not everybody may write",
                 .found = "mode " + internal::octal(facts.value.permissions),
                 .remedy = "name a directory inside it, or one of your own"});
  }
  if (first_identity() == os::FileIdentity{}) {
    // Several threads may be the first, with one value. relaxed: it guards no other data.
    std::atomic_ref(identity_.device).store(facts.value.identity.device, std::memory_order_relaxed);
    std::atomic_ref(identity_.inode).store(facts.value.identity.inode, std::memory_order_relaxed);
  }
}

os::Descriptor Domain::open_or_create() const {
  // Twice: a peer that leaves last may remove the empty default between our mkdir and our open.
  for (int attempt = 0;; ++attempt) {
    const auto made = os::make_directory(path_, kPrivateDirectory);
    if (!made && made.error == ENOENT) {
      throw Error(Errc::not_found, {.object = object_text(path_),
                                    .expected = "a folder to make it in",
                                    .found = "none above it",
                                    .remedy = "make that folder first"});
    }
    if (!made && made.error != EEXIST) {
      throw internal::system_error(object_text(path_), "making the directory", made.error);
    }
    try {
      return open();
    } catch (const Error& error) {
      if (error.errc() != Errc::not_found || attempt == 8) throw;
    }
  }
}

void Domain::remove_if_empty() const noexcept {
  // ENOTEMPTY is the usual answer: somebody's objects are still there.
  if (private_default_) static_cast<void>(os::remove_directory(path_));
}

}  // namespace kith
