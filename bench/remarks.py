"""What the document says beside its numbers. Nothing here is a measured figure."""

REMARKS = {
    "opening": """\
# Performance

What kith costs, against the limits of the machine it was measured on and against the usual ways
to share a value. `./bench.sh --docs` measures everything and makes this page and its drawings;
no number in the tables is written by hand. On another machine the times differ; the ratios should
not by much.""",
    "figures": """\
What compiling a header costs is for the most part the standard library's own headers: `<chrono>`,
`<string>`, `<atomic>`, `<vector>`.""",
    "machine": "",
    "method": """\
- Two real processes, each pinned to a core of its own, at the highest priority and in a scheduling
  group of their own. The writer is on the first core, the reader on the second.
- Each case is warmed up and then measured for a fraction of a second. The cases of a section take
  turns, A B C A B C …, and a number is the median over the repeats of what each repeat found.
- A ratio is formed inside each repeat, against the limit measured in that same repeat; then the
  median is taken. What makes the whole machine slower for a while does not show in it.
- How much of the processors others took is recorded for each run: from the processes' own clocks
  where they never sleep, else from `/proc/stat`. Repeats above 6 % are left out, as long as three
  are left. The column `repeats` says how many were used.
- Time is the processor's tick counter, read so that it waits for what comes before; what a pair of
  readings costs is subtracted. Operations shorter than that are timed in batches (100, 20 with
  many readers, 50 copies): their percentiles are over batches.
- Every read checks the number of the value; in the comparison also the sum over all its bytes. A
  run that sees a wrong value, or an older one after a newer one, fails.
- `max` is the worst of one repeat, at the median; it is the machine's, not the library's: the host
  of a virtual machine takes the processor away when it likes.""",
    "limits": """\
- `exchange_store`: one sequentially consistent exchange and one release store of a word in the
  cache.
- `hand_over`: half the round trip of two cores that each store a number into a line of their own
  and spin on the other's; on new pages in each repeat, because it matters where a line is at home.
- `futex_wake`: from a store and FUTEX_WAKE until the sleeper runs again; `futex_wake_call`: until
  the waker's call is back.
- `futex_pair`: likewise between two that wake each other in turn.
- `attach_sequence`: the system calls of an attach, recorded from the real thing, issued again
  without the library, and the same page faults.
- `memcpy`: source and target in the cache.""",
    "hot_path": """\
A new value: eight channels are written, then the reads of all eight are timed. *Same value again*
takes the same steps in one channel. *After a write*: a write and a read in turn, less the same
writes alone; here the read's stores also delay the next write. The ratio of a write leaves out the
copy, and the clock read where commit times are kept.""",
    "two_cores": """\
*Releases*: the reader ends its guard before it looks for the next value. *Holds*: it keeps the
guard and moves it on with `refresh()`. Both are half a round trip through two channels, in which
each side writes 64 B and has the other's value in hand. The sleeper of a wake has slept for 60 us
before.""",
    "sizes": "Each read gets a new value, and looks at its first word.",
    "readers": """\
A channel for 1000 readers. *Idle*: they have joined and hold nothing. *Holding*: each holds another
value, so that just one slot is left for the writer, which then looks at all readers in each write.
*Holding, spares*: the same in a channel with as many spare slots as readers. *Active*: another
process reads with each of them in turn, as fast as it can.""",
    "locks": """\
*Two*: two processes on two cores that do nothing but take the mutex, count, and give it back. A
hand-over is a holder that finds another's name there. *Apart*: each spends 500 ns elsewhere before
it comes again. A wait is timed in one of 16 rounds, from the call until it is back. `×` is kith's
divided by that peer's, in the same repeat. The futex with three states is the third mutex of U.
Drepper, "Futexes are tricky", written here. Acquisitions and hand-overs are bought with each other:
a mutex that stays with one process is taken more often.""",
    "lock_crowd": """\
All of them share the two cores; the number of processes stands behind the name.""",
    "lock_death": """\
The next holder sleeps in another process, on the other core. A process is dead for kith when the
kernel has given back its memory, because only then is its life lock free: the more the holder has,
the longer it takes. A robust mutex is given on before that. The size is what the holder takes
besides what a small process has anyway, in small pages.""",
    "read_locks": """\
Two readers: one on each core, which take the lock and give it back and do nothing else; the times
are those of both. *Alone*: one of them without the other, in the same repeat. *Nothing shared*: two
processes with an exchange and a store in a line of their own each, so what the machine does to
both.""",
    "guarded": """\
Nobody else wants it. *Change* adds to one word of the value; *set* puts all of it there; *read*
copies it out, without the lock. The mutex is taken and given back by `acquire` and `release`.""",
    "lock_wake": """\
*Wake*: two processes wake each other in turn, from the call until the other one runs. Each gives
the other 60 us to fall asleep before. The bare pair is a store, FUTEX_WAKE and FUTEX_WAIT without a
deadline; a condition also takes and gives back its mutex, on both sides. All take turns within one
run, four round trips each. *Signal*: nobody waits, and the call makes no system call; what makes
the same call possible again is timed with it.""",
    "comparison": """\
One writer, one reader that reads without a pause. A read counts from the call until every byte of
a whole value has been summed: in place (`acquire`), or in the copy (all others). A write is one
copy in. The seqlock, the locks and their values lie in a region. `1 kHz` and `10 kHz` are the rate
of the writer.""",
    "losses": """\
Where kith loses, and why:

- A value of 64 B that changes rarely: the seqlock's reader only loads, ours says first what it
  reads, and an exchange is most of the price. What it buys: the value stays as long as the guard
  lives, nothing is read twice, and a writer killed half-way stops nobody.
- Writes up to 16 KiB: the seqlock writes the same lines again and again and waits for nothing. Ours
  go from slot to slot, whose lines the reader has last, and the commit waits for them.
- Reads of 1 to 64 KiB at full speed: `read_copy` is faster than summing in place. Lines come from
  the other core faster to a copy than to a loop that adds them up.

The p50 of a reader that is starved counts only the reads that came through; look at reads a second
and at the worst 10 ms.""",
    "opening_objects": """\
An attach is opening and the first touch; closing is not in it. The start of a program is from its
start until its end, with the dynamic linker; joining includes leaving.""",
    "objects": """\
The kernel's slab is that of the whole machine; what others did meanwhile is in it.""",
    "building": """\
Processor time of the compiler at `-O2` for a file that includes the one header, less that for an
empty file.""",
}
