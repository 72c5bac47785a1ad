#include "kith/sync/internal/lock_errors.hpp"

#include "kith/member/internal/reader_line.hpp"
#include "kith/sync/internal/mutex_word.hpp"

namespace kith::internal {

// What a guard of the standard library cannot be told by a return value.
Error lock_error(LockAnswer answer, const std::string& object) {
  switch (answer) {
    case LockAnswer::owner_died:
      return Error(Errc::owner_died,
                   {.object = object,
                    .expected = "what it guards to be whole",
                    .found = "a holder that died, and nobody has repaired it",
                    .remedy = "take it with acquire(), repair, and declare_consistent(); or open "
                              "it with a repair function"});
    case LockAnswer::would_deadlock:
      return Error(Errc::would_deadlock,
                   {.object = object,
                    .expected = {},
                    .found = {},
                    .remedy = "release it first; a mutex may be opened as recursive"});
    case LockAnswer::not_owner:
      return Error(Errc::not_owner, {.object = object, .expected = {}, .found = {}, .remedy = {}});
    case LockAnswer::retired:
      return Error(Errc::retired, {.object = object,
                                   .expected = "a lock that can be taken",
                                   .found = "what it guards could not be repaired",
                                   .remedy = "start anew: end its users, remove the object with "
                                             "`kith rm`, and create it again"});
    case LockAnswer::orphaned:
      return Error(Errc::orphaned, {.object = object,
                                    .expected = {},
                                    .found = {},
                                    .remedy = "open it anew, together with those who hold it"});
    case LockAnswer::damaged:
      return Error(Errc::damaged, {.object = object,
                                   .expected = "its file as it was opened",
                                   .found = "one that was cut short",
                                   .remedy = "remove it with `kith rm --force`"});
    case LockAnswer::forked:
      return Error(Errc::forked, {.object = object,
                                  .expected = "a member of the domain",
                                  .found = "a forked child that could not join it",
                                  .remedy = "open it in the child: the error then says why"});
    default:
      return Error(
          Errc::limit_reached,
          {.object = object,
           .expected = "at most " + std::to_string(MutexWord::kThreadsMax - 1) +
                       " threads of a process that use locks, and a million recursions; of "
                       "read-write locks, " +
                       std::to_string(kReaderCells) + " that a thread reads at once, in " +
                       std::to_string(kReaderLines) + " threads",
           .found = "more, or no memory to say who reads",
           .remedy = "end some threads, or release it as often as it is taken"});
  }
}

}  // namespace kith::internal
