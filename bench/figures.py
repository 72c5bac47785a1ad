"""The figures that must be reached, and what a run says about each."""
from collections import namedtuple

from rows import bytes_text, rate_text, time_text

# A figure: what, what it must reach, what it reached in words, and whether that is enough (None:
# there is nothing to reach, it is only stated).
Figure = namedtuple("Figure", "what must reached fine")

READ_LIMIT, UNCHANGED_LIMIT, WRITE_LIMIT = 1.5, 0.2, 2.5
RELEASES_LIMIT, HOLDS_LIMIT = 2.0, 2.4
WAKE_LIMIT, ATTACH_LIMIT, COMPILE_SECONDS = 1.15, 1.4, 0.6
LOCK_LIMIT, LOCK_OF_ROBUST, LOCK_OF_PLAIN = 2.6, 0.7, 1.0
READ_LOCK_LIMIT, READERS_APART = 2.6, 1.1  # apart: what still counts as not slowed
COMMIT_OF_MUTEX, LOCK_WAKE_LIMIT = 1.5, 1.15
SLEPT_LEAST = 0.9  # of the woken: else it was no wake that was timed
LOCK_RATE, LOCK_WAIT = 0.9, 1.1  # of the rivals' best; of a pthread mutex
DEATH_MS, DEATH_RESIDENT = 2.0, 16 << 20
PLAIN, ROBUST = "pthread mutex", "pthread robust mutex"
SIZE_SPREAD = 1.25  # the slowest size over the fastest: what still counts as independent
FLAT = 1.5  # the dearest count of readers over the cheapest: what still counts as flat
LINEAR_SLACK = 1.1  # by how much a cost may lie above the line


def against(rows, case, peer, payload, limit):
    """Text and verdict of a ratio; judged as it is printed."""
    ratio = round(rows.ratio(case, peer, payload), 2)
    value = rows.value(case, peer, payload)
    return f"{ratio:.2f} x ({time_text(value)})", ratio <= limit


def hot_path(rows):
    read, read_fine = against(rows, "read", "kith", 64, READ_LIMIT)
    look, look_fine = against(rows, "read_unchanged", "kith, has_newer", 64, UNCHANGED_LIMIT)
    fresh, fresh_fine = against(rows, "read_unchanged", "kith, refresh", 64, UNCHANGED_LIMIT)
    write, write_fine = against(rows, "write", "kith", 64, WRITE_LIMIT)
    timed, timed_fine = against(rows, "write", "kith, commit time", 64, WRITE_LIMIT)
    limit = time_text(rows.value("limit.exchange_store", "machine"))
    return [
        Figure("read a new value (acquire and release), uncontended",
               f"≤ {READ_LIMIT} × one uncontended exchange and store ({limit} here)", read,
               read_fine),
        Figure("an unchanged value", f"≤ {UNCHANGED_LIMIT} × the same",
               f"`has_newer` {look}; `refresh` {fresh}", look_fine and fresh_fine),
        Figure("write, 1 reader joined, 64 B", f"≤ {WRITE_LIMIT} × the same, plus the copy",
               write, write_fine),
        Figure("the same with commit times", f"≤ {WRITE_LIMIT} ×, plus the copy and a clock read",
               timed, timed_fine),
    ]


def two_cores(rows):
    releases, releases_fine = against(rows, "write_to_seen", "kith, reader releases", 64,
                                      RELEASES_LIMIT)
    holds, holds_fine = against(rows, "write_to_seen", "kith, reader holds", 64, HOLDS_LIMIT)
    wake, wake_fine = against(rows, "wake", "kith", 64, WAKE_LIMIT)
    calls = sum(rows.value("system_calls", "kith, nobody asleep", 8, metric)
                for metric in ("write", "draft", "read", "look"))
    limit = time_text(rows.value("limit.hand_over", "machine"))
    return [
        Figure("write to seen, two cores, spinning reader that releases",
               f"≤ {RELEASES_LIMIT} × a bare hand-over of a cache line ({limit} here)", releases,
               releases_fine),
        Figure("the same while the reader holds", f"≤ {HOLDS_LIMIT} ×", holds, holds_fine),
        Figure("wake of a sleeping reader", f"≤ {WAKE_LIMIT} × a bare futex wake", wake,
               wake_fine),
        Figure("system calls of a write, a draft, a read, a look while nobody sleeps", "none",
               f"{calls:g}", calls == 0),
    ]


def sizes(rows):
    times = [row["value"] for row in rows.of("read_by_size", "p50")]
    spread = max(times) / min(times)
    return [Figure("zero-copy read, 8 B to 64 MiB", "cost independent of size",
                   f"{time_text(min(times))} to {time_text(max(times))}", spread <= SIZE_SPREAD)]


def is_at_most_linear(points):
    """Of (count, cost), sorted: does no count cost more than that many times the first, and is the
    last step no steeper than linear? A step out of a flat beginning may be."""
    (count, cost), rest = points[0], points[1:]
    below = all(c <= cost * n / count * LINEAR_SLACK for n, c in rest)
    (n, c), (last_n, last_c) = points[-2:]
    return below and last_c / c <= last_n / n * LINEAR_SLACK


KINDS = ("idle", "holding", "holding, spares", "active")


def readers_of(rows, kind):
    """(readers joined, mean time of a write) by what the readers do. The mean, because with spare
    slots only some of the writes look at the readers."""
    points = []
    for row in rows.of("write_with_readers", "mean"):
        count, name = row["peer"].removeprefix("kith, ").split(" ", 1)
        if name == kind:
            points.append((int(count), row["value"]))
    return sorted(points)


def readers(rows):
    texts, fine = [], True
    for kind in KINDS:
        points = readers_of(rows, kind)
        fine &= is_at_most_linear(points)
        texts.append(f"{kind}: " + ", ".join(time_text(ns) for _, ns in points))
    spares = [ns for _, ns in readers_of(rows, "holding, spares")]
    fine &= max(spares) <= FLAT * min(spares)
    return [Figure("write with 1, 10, 100, 1000 readers joined (mean)",
                   "no faster than linear in the readers; flat with spare slots",
                   "; ".join(texts), fine)]


def starvation(rows):
    case, payload = "comparison_read_full_speed", 1 << 20
    rate = {peer: rows.value(case, peer, payload, "throughput") for peer in rows.peers(case)}
    least = rows.value(case, "kith in place", payload, "least_throughput")
    return [Figure("a reader is never starved (1 MiB, writer at full speed)",
                   "reads in every 10 ms",
                   f"{rate_text(rate['kith in place'])} reads/s, "
                   f"{rate_text(least)} in the worst 10 ms; "
                   f"the seqlock {rate_text(rate['seqlock + copy'])} reads/s", least > 0)]


def life(rows):
    attach, attach_fine = against(rows, "attach", "kith, region", 8, ATTACH_LIMIT)
    figures = [Figure("attach to a region",
                      f"≤ {ATTACH_LIMIT} × the bare sequence of its system calls and faults",
                      attach, attach_fine)]
    for peer in rows.peers("objects_open"):
        kept = rows.value("objects_open", peer, 0, "descriptors_kept")
        open_ns = time_text(rows.value("objects_open", peer))
        own = sum(rows.value("objects_open", peer, 0, metric)
                  for metric in ("private_memory", "page_tables", "kernel_slab"))
        count = rows.value("objects_open", peer, 0, "objects")
        figures.append(Figure(f"{count:.0f} open in one process: {peer.removeprefix('kith, ')}",
                              "no descriptors kept; memory and time stated",
                              f"{kept:g} descriptors, {open_ns} and {own:.0f} B for each",
                              kept == 0))
    return figures


def least(rows, case, metric):
    """The worst ratio against any rival, and which."""
    return min((round(row["value"], 2), row["peer"]) for row in rows.of(case, metric))


def uncontended_lock(rows):
    peers = ("kith, acquire and release", "kith, lock and unlock")
    found = [against(rows, "lock", peer, 0, LOCK_LIMIT) for peer in peers]
    robust = round(rows.value("lock_against", ROBUST, 0, "p50_ratio"), 2)
    plain = round(rows.value("lock_against", PLAIN, 0, "p50_ratio"), 2)
    return [
        Figure("take and give back a mutex that nobody else wants",
               f"≤ {LOCK_LIMIT} × one uncontended exchange and store",
               f"`acquire`, `release` {found[0][0]}; `lock`, `unlock` {found[1][0]}",
               found[0][1] and found[1][1]),
        Figure("the same, against a pthread robust mutex", f"≤ {LOCK_OF_ROBUST} ×",
               f"{robust:.2f} x", robust <= LOCK_OF_ROBUST),
        Figure("the same, against a plain pthread mutex", f"below {LOCK_OF_PLAIN:g} ×",
               f"{plain:.2f} x", plain < LOCK_OF_PLAIN),
    ]


def wanted_lock(rows, case, what):
    figures = []
    for metric, name in (("throughput", "acquisitions"), ("hand_overs", "hand-overs")):
        ratio, rival = least(rows, case + "_against", metric + "_ratio")
        rate = rate_text(rows.value(case, "kith", 0, metric))
        figures.append(Figure(f"{what}: {name} a second", f"≥ {LOCK_RATE} × the best of the others",
                              f"{ratio:.2f} x {rival} ({rate})", ratio >= LOCK_RATE))
    wait = round(rows.value(case + "_against", PLAIN, 0, "p99_ratio"), 2)
    figures.append(Figure(f"{what}: wait at p99", f"≤ {LOCK_WAIT} × a pthread mutex",
                          f"{wait:.2f} x ({time_text(rows.value(case, 'kith', 0, 'p99'))})",
                          wait <= LOCK_WAIT))
    return figures


def shared_lock(rows):
    peers = ("kith, acquire_shared and release", "kith, lock_shared and unlock_shared")
    found = [against(rows, "read_lock", peer, 0, READ_LOCK_LIMIT) for peer in peers]
    slower = {peer: round(rows.value("read_lock_two", peer, 0, "slowdown"), 2)
              for peer in ("kith", "pthread rwlock", "machine, nothing shared")}
    return [
        Figure("take and give back a read-write lock for reading, that nobody else wants",
               f"≤ {READ_LOCK_LIMIT} × one uncontended exchange and store",
               f"`acquire_shared`, `release` {found[0][0]}; `lock_shared`, `unlock_shared` "
               f"{found[1][0]}", found[0][1] and found[1][1]),
        Figure("the same while another core does so too", f"≤ {READERS_APART} × as alone",
               f"{slower['kith']:.2f} x; pthread {slower['pthread rwlock']:.2f} x; two that share "
               f"nothing {slower['machine, nothing shared']:.2f} x",
               slower["kith"] <= READERS_APART),
    ]


def guarded(rows):
    texts, fine = [], True
    for verb in ("change", "set"):
        peer = f"kith, {verb}"
        ratio = round(rows.value("guarded", peer, 64, "mutex_ratio"), 2)
        texts.append(f"`{verb}` {ratio:.2f} x ({time_text(rows.value('guarded', peer, 64))})")
        fine &= ratio <= COMMIT_OF_MUTEX
    return [Figure("commit a guarded value of 64 B",
                   f"≤ {COMMIT_OF_MUTEX} × taking and giving back a mutex", "; ".join(texts), fine)]


def lock_wake(rows):
    texts, fine = [], True
    for peer in rows.peers("lock_wake"):
        if peer.startswith("kith, "):
            text, is_fine = against(rows, "lock_wake", peer, 0, LOCK_WAKE_LIMIT)
            texts.append(f"{peer.removeprefix('kith, ')} {text}")
            slept = rows.value("lock_wake", peer, 0, "slept")
            fine &= is_fine and slept >= SLEPT_LEAST
    return [Figure("wake of a process that sleeps at an event, a condition, a semaphore",
                   f"≤ {LOCK_WAKE_LIMIT} × a bare futex wake, two in turn", "; ".join(texts),
                   fine and bool(texts))]


def locks(rows):
    death = {metric: rows.value("lock_death", "kith", 0, metric)
             for metric in ("p50", "p99", "max", "resident")}
    times = ", ".join(f"{metric} {time_text(death[metric])}" for metric in ("p50", "p99", "max"))
    return [
        *uncontended_lock(rows),
        *wanted_lock(rows, "lock_two", "two processes that want one mutex all the time"),
        *wanted_lock(rows, "lock_two_apart", "the same with 500 ns between"),
        *shared_lock(rows),
        *guarded(rows),
        *lock_wake(rows),
        Figure("from SIGKILL of the holder until the next one runs",
               f"p99 ≤ {DEATH_MS:g} ms with less than {bytes_text(DEATH_RESIDENT)} resident",
               f"{times} ({bytes_text(round(death['resident'] / (1 << 20), 1) * (1 << 20))})",
               death["p99"] <= DEATH_MS * 1e6 and death["resident"] < DEATH_RESIDENT),
    ]


def crowd(rows, peer, metric="throughput"):
    """(processes, value) by who wants the mutex."""
    points = []
    for row in rows.of("lock_crowd", metric):
        name, count = row["peer"].rsplit(", ", 1)
        if name == peer:
            points.append((int(count), row["value"]))
    return sorted(points)


def also_stated(rows):
    worst = max(rows.of("compile", "over_empty"), key=lambda row: row["value"])
    joins = rows.value("start", "kith, a program that joins a domain", 0, "added")
    size = rows.value("program_size", "a program that writes and reads a channel", 0, "stripped")
    bare = rows.value("program_size", "an empty program", 0, "stripped")
    idle = "kith, channel of 8 B"
    memory = rows.value("objects_create", idle, 0, "shared_memory")
    return [
        Figure("compile time of one public header over an empty file", f"≤ {COMPILE_SECONDS} s",
               f"at most {worst['value']:.2f} s ({worst['peer']})",
               round(worst["value"], 2) <= COMPILE_SECONDS),
        Figure("size of a minimal program (static kith, stripped)", "stated",
               f"{size / 1024:.0f} KiB; an empty one {bare / 1024:.0f} KiB", None),
        Figure("start-up of a process that joins a domain", "stated",
               f"{time_text(joins)} more than one that does not join", None),
        Figure("memory of an idle channel of 8 B, no reader", "stated",
               f"{memory / 1024:.0f} KiB shared", None),
    ]


def all_figures(rows):
    return [*hot_path(rows), *two_cores(rows), *sizes(rows), *readers(rows), *starvation(rows),
            *locks(rows), *life(rows), *also_stated(rows)]
