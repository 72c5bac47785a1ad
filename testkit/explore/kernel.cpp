// A modelled kernel's names, facts and bytes of files.
#include "testkit/explore/kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <new>
#include <stdexcept>
#include <sys/mman.h>

#include "testkit/explore/internal/kernel_state.hpp"

namespace kith::testkit::explore {
namespace {

using internal::Directory;
using internal::hash_of;
using internal::Inode;
using internal::kFileMax;
using internal::mixed;
using internal::Open;

Kernel* only = nullptr;

// Of pages that are empty until they are touched: clearing all of it would cost more than a run.
std::byte* new_bytes() {
  void* bytes = ::mmap(nullptr, kFileMax, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(bytes);
}

}  // namespace

Kernel::Kernel() : state_(std::make_unique<State>()) {
  state_->engine = internal::Engine::current();
  if (state_->engine == nullptr) throw std::logic_error("a Kernel is a member of a World");
  state_->engine->attach(*state_);
  static std::uint64_t runs = 0;
  state_->run = ++runs;
  only = this;
}

Kernel::~Kernel() {
  if (only == this) only = nullptr;
}

bool Kernel::is_there() noexcept {
  return only != nullptr;
}

Kernel& Kernel::current() {
  if (only == nullptr) throw std::logic_error("no model with a Kernel is running");
  return *only;
}

void Kernel::set_up_as(std::size_t process) {
  state_->set_up_as = process;
}

// ---- names

int Kernel::make_directory(const std::string& path, std::uint32_t mode) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const auto [entry, is_new] = s.directories.try_emplace(path);
  s.tell("mkdir " + path + (is_new ? "" : ": it is there"));
  if (!is_new) return s.answer(EEXIST);
  entry->second.number = s.next_inode++;
  entry->second.mode = mode;
  s.changed();
  return s.answer(0);
}

int Kernel::remove_directory(const std::string& path) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const auto found = s.directories.find(path);
  s.tell("rmdir " + path);
  if (found == s.directories.end()) return s.answer(ENOENT);
  if (!found->second.entries.empty()) return s.answer(ENOTEMPTY);
  s.directories.erase(found);
  s.changed();
  return s.answer(0);
}

Answer<int> Kernel::open_directory(const std::string& path) {
  State& s = *state_;
  const std::size_t process = s.enter();
  const bool there = s.directories.contains(path);
  s.tell("open directory " + path + (there ? "" : ": none"));
  if (!there) return {-1, s.answer(ENOENT)};
  s.answer(0);
  return {s.add_open(process, 0, path), 0};
}

Answer<int> Kernel::open_at(int directory, const std::string& name) {
  State& s = *state_;
  const std::size_t process = s.enter();
  const Directory* in = s.directory_of(directory);
  const bool there = in != nullptr && in->entries.contains(name);
  s.tell("open " + name + (there ? "" : ": none"));
  if (!there) return {-1, s.answer(ENOENT)};
  const std::uint64_t inode = in->entries.at(name);
  s.engine->note(inode);
  return {s.add_open(process, inode, {}), s.answer(0)};
}

Answer<int> Kernel::open_again(int descriptor) {
  State& s = *state_;
  const std::size_t process = s.enter();
  const Inode* inode = s.inode_of(descriptor);
  s.tell("open again");
  if (inode == nullptr) return {-1, s.answer(EBADF)};
  return {s.add_open(process, inode->number, {}), s.answer(0)};
}

Answer<int> Kernel::create_unnamed(int directory) {
  State& s = *state_;
  const std::size_t process = s.enter();
  s.tell("create a file without a name");
  if (s.directory_of(directory) == nullptr) return {-1, s.answer(ENOENT)};
  const std::uint64_t number = s.next_inode++;
  Inode& inode = s.inodes[number];
  inode.number = number;
  inode.bytes.reset(new_bytes());
  s.engine->memory().add_range(inode.bytes.get(), kFileMax, mixed(77, number));
  s.engine->note(number);
  return {s.add_open(process, number, {}), s.answer(0)};
}

int Kernel::link(int descriptor, int directory, const std::string& name) {
  State& s = *state_;
  static_cast<void>(s.enter());
  Inode* inode = s.inode_of(descriptor);
  Directory* in = s.directory_of(directory);
  s.tell("link " + name);
  if (inode == nullptr) return s.answer(EBADF);
  if (in == nullptr) return s.answer(ENOENT);
  if (!in->entries.try_emplace(name, inode->number).second) return s.answer(EEXIST);
  ++inode->links;
  s.changed();
  return s.answer(0);
}

int Kernel::unlink(int directory, const std::string& name) {
  State& s = *state_;
  static_cast<void>(s.enter());
  Directory* in = s.directory_of(directory);
  const bool there = in != nullptr && in->entries.contains(name);
  s.tell("unlink " + name + (there ? "" : ": none"));
  if (!there) return s.answer(ENOENT);
  const std::uint64_t number = in->entries.at(name);
  in->entries.erase(name);
  --s.inodes.at(number).links;
  s.drop_inode(number);
  s.changed();
  return s.answer(0);
}

int Kernel::close(int descriptor) {
  State& s = *state_;
  if (!s.descriptors.contains(descriptor)) return EBADF;  // of a process that was killed
  static_cast<void>(s.enter());
  const auto found = s.descriptors.find(descriptor);
  const std::uint64_t open = found->second;
  s.descriptors.erase(found);
  const std::size_t before = s.locks.size();
  s.drop(open);
  if (s.locks.size() != before) s.changed();
  s.tell("close");
  return 0;
}

// ---- facts

namespace {

FileFacts facts_from(const Inode& inode) {
  return {inode.number, inode.size, inode.mode, inode.links, false};
}

FileFacts facts_from(const Directory& directory) {
  return {directory.number, 0, directory.mode, 2, true};
}

}  // namespace

Answer<FileFacts> Kernel::facts(int descriptor) {
  State& s = *state_;
  static_cast<void>(s.enter());
  s.tell("fstat");
  if (const Inode* inode = s.inode_of(descriptor)) {
    s.engine->note(mixed(inode->size, inode->links));
    return {facts_from(*inode), s.answer(0)};
  }
  const Directory* directory = s.directory_of(descriptor);
  if (directory == nullptr) return {{}, s.answer(ENOENT)};
  return {facts_from(*directory), s.answer(0)};
}

Answer<FileFacts> Kernel::facts_at(int descriptor, const std::string& name) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const Directory* directory = s.directory_of(descriptor);
  const bool there = directory != nullptr && directory->entries.contains(name);
  s.tell("stat " + name + (there ? "" : ": none"));
  if (!there) return {{}, s.answer(ENOENT)};
  const Inode& inode = s.inodes.at(directory->entries.at(name));
  s.engine->note(mixed(inode.number, inode.size));
  return {facts_from(inode), s.answer(0)};
}

Answer<FileFacts> Kernel::facts_of_path(const std::string& path) {
  State& s = *state_;
  if (const auto found = s.directories.find(path); found != s.directories.end()) {
    static_cast<void>(s.enter());
    s.tell("stat " + path);
    const auto again = s.directories.find(path);
    if (again == s.directories.end()) return {{}, s.answer(ENOENT)};
    s.engine->note(again->second.number);
    return {facts_from(again->second), s.answer(0)};
  }
  static_cast<void>(s.enter());
  const std::size_t slash = path.rfind('/');
  const auto found = s.directories.find(path.substr(0, slash));
  const bool there =
      found != s.directories.end() && found->second.entries.contains(path.substr(slash + 1));
  s.tell("stat " + path + (there ? "" : ": none"));
  if (!there) return {{}, s.answer(ENOENT)};
  const Inode& inode = s.inodes.at(found->second.entries.at(path.substr(slash + 1)));
  s.engine->note(mixed(inode.number, inode.size));
  return {facts_from(inode), s.answer(0)};
}

Answer<std::vector<std::string>> Kernel::names(int descriptor) {
  State& s = *state_;
  static_cast<void>(s.enter());
  s.tell("list the directory");
  const Directory* directory = s.directory_of(descriptor);
  if (directory == nullptr) return {{}, s.answer(ENOENT)};
  std::vector<std::string> names;
  for (const auto& [name, inode] : directory->entries) {
    names.push_back(name);
    s.engine->note(mixed(hash_of(name), inode));
  }
  return {std::move(names), s.answer(0)};
}

int Kernel::set_mode(int descriptor, std::uint32_t mode) {
  State& s = *state_;
  static_cast<void>(s.enter());
  s.tell("chmod");
  if (Inode* inode = s.inode_of(descriptor)) {
    inode->mode = mode;
  } else if (Directory* directory = s.directory_of(descriptor)) {
    directory->mode = mode;
  } else {
    return s.answer(ENOENT);
  }
  s.changed();
  return s.answer(0);
}

// ---- bytes

int Kernel::set_size(int descriptor, std::uint64_t size) {
  State& s = *state_;
  static_cast<void>(s.enter());
  Inode* inode = s.inode_of(descriptor);
  s.tell("ftruncate to " + std::to_string(size));
  if (inode == nullptr) return s.answer(EBADF);
  if (size > kFileMax) return s.answer(EFBIG);
  inode->size = size;
  s.changed();
  return s.answer(0);
}

Answer<std::uint64_t> Kernel::read(int descriptor, void* to, std::uint64_t size,
                                   std::uint64_t offset) {
  State& s = *state_;
  static_cast<void>(s.enter());
  const Inode* inode = s.inode_of(descriptor);
  s.tell("read");
  if (inode == nullptr) return {0, s.answer(EBADF)};
  const std::uint64_t there = offset < inode->size ? std::min(size, inode->size - offset) : 0;
  if (there > 0) std::memcpy(to, inode->bytes.get() + offset, there);
  s.engine->note(hash_of({static_cast<const char*>(to), std::min<std::uint64_t>(there, 512)}));
  return {there, s.answer(0)};
}

int Kernel::write(int descriptor, const void* from, std::uint64_t size, std::uint64_t offset) {
  State& s = *state_;
  static_cast<void>(s.enter());
  Inode* inode = s.inode_of(descriptor);
  s.tell("write");
  if (inode == nullptr || offset + size > inode->size) return s.answer(EBADF);
  std::memcpy(inode->bytes.get() + offset, from, size);
  inode->written =
      mixed(mixed(inode->written, offset), hash_of({static_cast<const char*>(from), size}));
  s.changed();
  return s.answer(0);
}

Answer<std::byte*> Kernel::map(int descriptor, std::uint64_t size) {
  State& s = *state_;
  static_cast<void>(s.enter());
  Inode* inode = s.inode_of(descriptor);
  s.tell("map " + std::to_string(size));
  if (inode == nullptr || size > kFileMax) return {nullptr, s.answer(EBADF)};
  const std::uint64_t open = s.descriptors.at(descriptor);
  ++s.opens.at(open).references;
  const std::size_t process = s.opens.at(open).process;
  s.mappings.push_back({process, inode->bytes.get(), size, open, true});
  s.inheritance_changed[process] = true;
  return {inode->bytes.get(), s.answer(0)};
}

void Kernel::unmap(const std::byte* address, std::uint64_t size) {
  State& s = *state_;
  const std::size_t process = s.enter();
  // The youngest, where a process has mapped one file several times.
  const auto found = std::find_if(s.mappings.rbegin(), s.mappings.rend(), [&](const auto& one) {
    return one.process == process && one.address == address && one.size == size;
  });
  if (found == s.mappings.rend()) return;  // of a process that was killed
  const std::uint64_t open = found->open;
  s.mappings.erase(std::next(found).base());
  const std::size_t before = s.locks.size();
  s.drop(open);
  if (s.locks.size() != before) s.changed();
  s.tell("unmap " + std::to_string(size));
}

}  // namespace kith::testkit::explore
