// What writing, reading and waiting for latest values answer.
#pragma once

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] WriteAnswer{
    committed,  // also in an orphaned channel, where nobody new will read it: ask is_orphaned()
    too_large,  // more bytes than the channel's payload_max
    drafting,   // a draft of this writer is not finished
    forked,     // this handle is the parent's; open one of your own
    damaged,    // the shared words make no sense: somebody overwrote them
};

enum class [[nodiscard]] ReadAnswer{
    value,      // here it is, newer than what this reader had
    unchanged,  // still the value this reader had last
    empty,      // nothing was written yet
    held,       // a guard of this reader lives: end it, or refresh() it
    rejected,   // read_copy: the caller's validator said no
    too_small,  // read_copy: the buffer cannot take the value
    forked,     // this handle is the parent's; open one of your own
    damaged,    // the shared words make no sense: somebody overwrote them
};

enum class [[nodiscard]] WaitAnswer{
    newer,  // also in an orphaned channel, as long as its writer goes on
    timed_out,
    orphaned,     // nothing newer, and the channel was removed or replaced
    forked,       // this handle is the parent's; open one of your own
    interrupted,  // nothing newer; the deadline is interruptible, and this thread handled a signal
};
// clang-format on

}  // namespace kith
