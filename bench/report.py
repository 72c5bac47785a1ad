"""Makes performance.md and its drawings of the rows of a run: report.py ROWS.json --into docs."""

import argparse
import os

from figures import KINDS, PLAIN, ROBUST, all_figures, crowd, readers_of
from remarks import REMARKS
from rows import Rows, bytes_text, rate_text, table, time_text
from svg import line_chart

PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")
WITH_MEAN = (*PERCENTILES, "mean")
RATES = (("full_speed", "full speed"), ("10_kHz", "10 kHz"), ("1_kHz", "1 kHz"))


def verdict(figure):
    return "stated" if figure.fine is None else "reached" if figure.fine else "**missed**"


def machine(rows):
    facts = ["processor", "processor model", "caches", "kernel", "virtual", "compiler", "build",
             "mitigations", "pinned cores", "date"]
    return table(["", ""], [(fact, rows.fact(fact)[0]) for fact in facts])


def summary(rows):
    return table(["figure", "must reach", "reached", ""],
                 [(one.what, one.must, one.reached, verdict(one)) for one in all_figures(rows)])


def percentile_table(rows, cases, with_ratio=True):
    lines = []
    for case in cases:
        for row in rows.of(case, "p50"):
            key = (case, row["peer"], row["payload_bytes"])
            cells = [case, row["peer"].removeprefix("kith, "),
                     bytes_text(row["payload_bytes"]) if row["payload_bytes"] else ""]
            cells += [time_text(rows.maybe(*key, metric)) for metric in WITH_MEAN]
            if with_ratio:
                cells.append("" if row["ratio"] is None else f"{row['ratio']:.2f} × {row['limit']}")
            cells.append(f"{rows.maybe(*key, 'repeats_used') or 0:g}")
            lines.append(cells)
    heads = ["case", "of", "size", *WITH_MEAN, *(["ratio of p50"] if with_ratio else []),
             "repeats"]
    return table(heads, lines)


def comparison_table(rows, rate):
    read, write = f"comparison_read_{rate}", f"comparison_write_{rate}"
    lines = []
    for payload in rows.payloads(read):
        for peer in rows.peers(read):
            lines.append([
                bytes_text(payload), peer,
                time_text(rows.maybe(read, peer, payload, "p50")),
                time_text(rows.maybe(read, peer, payload, "p99")),
                rate_text(rows.maybe(read, peer, payload, "throughput")),
                rate_text(rows.maybe(read, peer, payload, "least_throughput")),
                time_text(rows.maybe(write, peer, payload, "p50")),
                time_text(rows.maybe(write, peer, payload, "p99")),
                rate_text(rows.maybe(write, peer, payload, "throughput"))])
    return table(["size", "", "read p50", "read p99", "reads/s", "in the worst 10 ms",
                  "write p50", "write p99", "writes/s"], lines)


def objects_table(rows):
    lines = []
    for case in ("objects_create", "objects_open"):
        for peer in rows.peers(case):
            def get(metric, case=case, peer=peer):
                return rows.value(case, peer, 0, metric)
            lines.append([case.removeprefix("objects_"),
                          f"{get('objects'):g} × {peer.removeprefix('kith, ')}",
                          time_text(get("p50")), time_text(get("p99")),
                          f"{get('descriptors_kept'):g}", f"{get('private_memory'):.0f} B",
                          f"{get('page_tables'):.0f} B", f"{get('kernel_slab'):.0f} B",
                          f"{get('shared_memory'):.0f} B"])
    return table(["", "objects", "time p50", "time p99", "descriptors kept", "private memory",
                  "page tables", "kernel slab", "shared memory"], lines)


def ratio_table(rows, case, metric, head):
    """Percentiles, and one ratio that was formed inside each repeat."""
    lines = []
    for row in rows.of(case, "p50"):
        key = (case, row["peer"], row["payload_bytes"])
        ratio = rows.maybe(*key, metric)
        lines.append([row["peer"].removeprefix("kith, "),
                      *(time_text(rows.maybe(*key, name)) for name in WITH_MEAN),
                      "" if ratio is None else f"{ratio:.2f}",
                      f"{rows.maybe(*key, 'repeats_used') or 0:g}"])
    return table(["of", *WITH_MEAN, head, "repeats"], lines)


def wanted_table(rows, cases):
    lines = []
    for case in cases:
        for peer in rows.peers(case):
            def get(metric, case=case, peer=peer):
                return rows.maybe(case, peer, 0, metric)
            ratios = [rows.maybe(case + "_against", peer, 0, metric + "_ratio")
                      for metric in ("throughput", "hand_overs", "p99")]
            lines.append([case, peer, rate_text(get("throughput")), rate_text(get("hand_overs")),
                          *(time_text(get(metric)) for metric in ("p50", "p99", "p99.9", "max")),
                          *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                          f"{get('repeats_used') or 0:g}"])
    return table(["case", "of", "acquisitions/s", "hand-overs/s", "wait p50", "p99", "p99.9", "max",
                  "kith's acquisitions ×", "hand-overs ×", "p99 ×", "repeats"], lines)


def build_table(rows):
    found = rows.of("compile", "over_empty")
    compilers = list(dict.fromkeys(row["peer"].split(", ")[0] for row in found))
    headers = list(dict.fromkeys(row["peer"].split(", ")[1] for row in found))
    lines = []
    for header in headers:
        cells = [f"`{header}`"]
        for compiler in compilers:
            value = rows.maybe("compile", f"{compiler}, {header}", 0, "over_empty")
            cells.append("-" if value is None else f"{value:.2f} s")
        lines.append(cells)
    return table(["over an empty file", *compilers], lines)


def drawings(rows):
    """File name -> drawing."""
    read = "comparison_read_full_speed"
    payloads = rows.payloads(read)

    def peers(case, metric):
        return [(peer, [rows.maybe(case, peer, size, metric) for size in payloads])
                for peer in rows.peers(case)]

    def percentiles(case, peer, payload):
        return [rows.maybe(case, peer, payload, metric) for metric in PERCENTILES]

    by_size = rows.of("read_by_size", "p50")
    counts = [count for count, _ in readers_of(rows, "idle")]
    labels = [bytes_text(size) for size in payloads]
    holders = rows.payloads("lock_death_by_size")
    return {
        "two_cores.svg": line_chart(
            "From write() until another core has the value", "percentile", PERCENTILES,
            [("bare hand-over", percentiles("limit.hand_over", "machine", 0)),
             ("kith, releases", percentiles("write_to_seen", "kith, reader releases", 64)),
             ("kith, holds", percentiles("write_to_seen", "kith, reader holds", 64)),
             ("bare futex wake", percentiles("limit.futex_wake", "machine", 0)),
             ("kith, reader slept", percentiles("wake", "kith", 64))], "ns"),
        "sizes.svg": line_chart(
            "One read, in place, by the size of the value", "size",
            [bytes_text(row["payload_bytes"]) for row in by_size],
            [("p50", [row["value"] for row in by_size]),
             ("p99", [rows.maybe("read_by_size", row["peer"], row["payload_bytes"], "p99")
                      for row in by_size])], "ns"),
        "readers.svg": line_chart(
            "One write of 64 B, by readers joined (mean)", "readers",
            [str(count) for count in counts],
            [(kind, [ns for _, ns in readers_of(rows, kind)]) for kind in KINDS], "ns"),
        "lock_crowd.svg": line_chart(
            "Acquisitions of one mutex a second, by processes that want it", "processes",
            [str(count) for count, _ in crowd(rows, "kith")],
            [(peer, [rate for _, rate in crowd(rows, peer)]) for peer in ("kith", PLAIN, ROBUST)],
            "/s"),
        "lock_death.svg": line_chart(
            "From SIGKILL of the holder until the next one runs", "more memory the holder has",
            [bytes_text(size) for size in holders],
            [(f"{peer}, {metric}",
              [rows.maybe("lock_death_by_size", peer, size, metric) for size in holders])
             for peer in ("kith", ROBUST) for metric in ("p50", "max")], "ns"),
        "comparison_reads.svg": line_chart(
            "Reads a second, writer at full speed", "size of a value", labels,
            peers(read, "throughput"), "/s"),
        "comparison_read_p99.svg": line_chart(
            "A read at p99, writer at full speed", "size of a value", labels, peers(read, "p99"),
            "ns"),
        "comparison_read_10_kHz.svg": line_chart(
            "A read at p50, writer at 10 kHz", "size of a value", labels,
            peers("comparison_read_10_kHz", "p50"), "ns"),
    }


def picture(name, words):
    return f"![{words}](performance/{name})"


def document(rows):
    limits = [case for case in dict.fromkeys(row["case"] for row in rows.rows)
              if case.startswith("limit.") and case not in ("limit.compile_empty",
                                                    "limit.start", "limit.start_empty")]
    text = [REMARKS["opening"], "## The figures", summary(rows), REMARKS["figures"],
            "## The machine", machine(rows), REMARKS["machine"],
            "## How it was measured", REMARKS["method"],
            "## What the machine can do at best",
            percentile_table(rows, limits, with_ratio=False), REMARKS["limits"],
            "## One process, in the cache",
            percentile_table(rows, ["read", "read_unchanged", "write"]), REMARKS["hot_path"],
            "## Two cores", picture("two_cores.svg", "latency by percentile"),
            percentile_table(rows, ["write_to_seen", "wake", "wake_call"]), REMARKS["two_cores"],
            "## Size", picture("sizes.svg", "read by size"),
            percentile_table(rows, ["read_by_size"]), REMARKS["sizes"],
            "## Readers", picture("readers.svg", "write by readers joined"),
            percentile_table(rows, ["write_with_readers"]), REMARKS["readers"],
            "## A mutex", percentile_table(rows, ["lock"]),
            wanted_table(rows, ["lock_two", "lock_two_apart"]), REMARKS["locks"],
            picture("lock_crowd.svg", "acquisitions by processes"),
            wanted_table(rows, ["lock_crowd"]), REMARKS["lock_crowd"],
            picture("lock_death.svg", "from the death of the holder until the next one runs"),
            percentile_table(rows, ["lock_death", "lock_death_by_size"], with_ratio=False),
            REMARKS["lock_death"],
            "## A read-write lock, read", percentile_table(rows, ["read_lock"]),
            ratio_table(rows, "read_lock_two", "slowdown", "× alone"), REMARKS["read_locks"],
            "## A guarded value of 64 B",
            ratio_table(rows, "guarded", "mutex_ratio", "× a mutex"), REMARKS["guarded"],
            "## Events, conditions, semaphores",
            percentile_table(rows, ["lock_wake", "lock_signal"]), REMARKS["lock_wake"],
            "## Against a seqlock, a read-write lock, a robust mutex", REMARKS["comparison"],
            picture("comparison_reads.svg", "reads a second by size"),
            picture("comparison_read_p99.svg", "read at p99 by size"),
            picture("comparison_read_10_kHz.svg", "read at p50 by size, writer at 10 kHz")]
    for rate, words in RATES:
        text += [f"### Writer at {words}", comparison_table(rows, rate)]
    text += [REMARKS["losses"], "## Opening", percentile_table(rows, ["attach", "start"]),
             REMARKS["opening_objects"], "### Many objects in one process", objects_table(rows),
             REMARKS["objects"], "## Compiling and linking", build_table(rows),
             REMARKS["building"]]
    return "\n\n".join(part for part in text if part) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows")
    parser.add_argument("--into", required=True, help="folder of performance.md")
    arguments = parser.parse_args()
    rows = Rows.load(arguments.rows)
    text, pictures = document(rows), drawings(rows)  # both, before anything is replaced
    folder = os.path.join(arguments.into, "performance")
    os.makedirs(folder, exist_ok=True)
    for name, drawing in pictures.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(drawing)
    with open(os.path.join(arguments.into, "performance.md"), "w", encoding="utf-8") as file:
        file.write(text)
    missed = [one.what for one in all_figures(rows) if one.fine is False]
    print(f"{len(missed)} figures missed" + "".join(f"\n  {what}" for what in missed))


if __name__ == "__main__":
    main()
