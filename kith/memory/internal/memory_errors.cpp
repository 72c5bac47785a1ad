#include "kith/memory/internal/memory_errors.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "kith/os/huge_pages.hpp"

namespace kith::internal {

std::string file_words(const os::FileFacts& facts) {
  const bool is_file = facts.kind == os::FileKind::regular;
  return describe(facts.kind) + (is_file ? " of " + bytes_text(facts.size) : std::string());
}

Error memory_is_taken(const std::string& object, const std::string& by) {
  return Error(Errc::already_exists,
               {.object = object,
                .expected = "a name that is free",
                .found = by,
                .remedy = "open what is there, remove it first, or choose another name"});
}

Error memory_is_no_file(const std::string& object, os::FileKind kind) {
  return Error(Errc::not_ours, {.object = object,
                                .expected = "a regular file",
                                .found = describe(kind),
                                .remedy = "choose another name, or remove it yourself"});
}

Error memory_is_empty(const std::string& object) {
  return Error(Errc::damaged,
               {.object = object,
                .expected = "at least 1 byte",
                .found = "0 bytes",
                .remedy = "its creator has not given it a size yet: try again; or it "
                          "was killed before it could: remove it"});
}

Error memory_is_orphaned(const std::string& object, const std::string& found) {
  return Error(Errc::orphaned, {.object = object,
                                .expected = "the name of the memory that is open here",
                                .found = found,
                                .remedy = "open the name anew if the newer one will do"});
}

Error memory_size_refused(const std::string& object, std::uint64_t size) {
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
  return Error(Errc::invalid_argument, {.object = object,
                                        .expected = "a size of 1 to " + bytes_text(largest),
                                        .found = bytes_text(size),
                                        .remedy = "ask for a size that can be mapped"});
}

Error memory_name_refused(const std::string& object, const std::string& why) {
  return Error(Errc::invalid_name,
               {.object = object, .expected = {}, .found = why, .remedy = "choose another name"});
}

Error no_huge_pages(const std::string& object, std::uint64_t wanted, std::uint64_t page_size) {
  const std::uint64_t pages = (wanted + page_size - 1) / page_size;
  const std::string file = os::huge_pool_file(page_size);
  const auto pool = os::huge_pool(page_size);
  std::string found = "less in the pool " + file;
  if (pool) {
    const std::uint64_t free =
        pool.value.free_pages - std::min(pool.value.free_pages, pool.value.reserved_pages);
    found = std::to_string(free) + " of the " + std::to_string(pool.value.pages) + " in the pool " +
            file;
  }
  return Error(Errc::no_space,
               {.object = object,
                .expected = std::to_string(pages) + " free huge pages of " + bytes_text(page_size),
                .found = found,
                .remedy = "write a larger number to " + file +
                          " as root, best soon after the start of the machine; if there are "
                          "enough, look at size= of the mount and the hugetlb limits of the "
                          "cgroup; or do without: any memory and advise_huge_pages()"});
}

}  // namespace kith::internal
