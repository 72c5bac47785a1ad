"""docs/hostile.md, its figures from a run: figures.py [--seconds N] [--into FILE]

Builds kith_hostile with counters in build/hostile_coverage, runs it, and counts which lines and
branches of kith/ were reached. Nothing in the tables is written by hand.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(ROOT, "build", "hostile_coverage")
TEXT = os.path.join(os.path.dirname(__file__), "figures.md")

# What no bytes of a region lead to: it is about memory that has no header, or about the machine.
ELSEWHERE = {
    "kith/inspect/foreign.cpp": "looks at what kith did not make",
    "kith/inspect/internal/proc_text.cpp": "reads /proc",
    "kith/inspect/processes.cpp": "reads /proc",
    "kith/memory/file_memory.cpp": "memory without a header",
    "kith/memory/huge_file.cpp": "memory without a header",
    "kith/memory/huge_pages.cpp": "asks the machine",
    "kith/memory/internal/memory_errors.cpp": "memory without a header",
    "kith/memory/internal/named_file.cpp": "memory without a header",
    "kith/memory/memory_socket.cpp": "reads sockets, not regions",
    "kith/memory/posix_shm.cpp": "memory without a header",
    "kith/memory/sysv_shm.cpp": "memory without a header",
    "kith/os/linux/descriptor_passing.cpp": "reads sockets, not regions",
    "kith/os/linux/huge_pages.cpp": "asks the machine",
    "kith/os/linux/machine.cpp": "asks the machine",
    "kith/os/linux/sysv_shm.cpp": "memory without a header",
    "kith/region/rights.cpp": "reads the user's settings",
}


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def build():
    run("cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS=-O1 --coverage -DKITH_COVERAGE",
        "-DKITH_BUILD_CLI=OFF", "-DKITH_BUILD_EXAMPLES=OFF", stdout=subprocess.DEVNULL)
    run("cmake", "--build", BUILD, "--target", "kith_hostile", stdout=subprocess.DEVNULL)
    for folder, _, names in os.walk(BUILD):
        for name in names:
            if name.endswith(".gcda"):
                os.remove(os.path.join(folder, name))


def rows_of_a_run(seconds):
    rows = os.path.join(BUILD, "rows.json")
    command = [os.path.join(BUILD, "kith_hostile"), "--json", rows]
    run(*command, *(["--seconds", str(seconds)] if seconds else []), stdout=subprocess.DEVNULL)
    with open(rows, encoding="utf-8") as file:
        return json.load(file)


def counts():
    """For each file of kith/: how often each line and each branch was taken."""
    lines, branches = defaultdict(Counter), defaultdict(Counter)
    objects = os.path.join(BUILD, "library")
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(objects)
             for name in names if name.endswith(".gcno")]
    for note in notes:
        output = run("gcov", "--json-format", "--stdout", "--branch-probabilities", note,
                     cwd=BUILD, capture_output=True).stdout
        for text in output.splitlines():
            for file in json.loads(text)["files"]:
                name = os.path.relpath(os.path.join(ROOT, file["file"]), ROOT)
                if not name.startswith("kith/"):
                    continue
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[name][number] += line["count"]
                    # An exception out of any call is a branch to the compiler, not to a reader.
                    taken = [b["count"] for b in line["branches"] if not b["throw"]]
                    for index, count in enumerate(taken):
                        branches[name][number, index] += count
    return lines, branches


def share(counter):
    if not counter:
        return "-"
    reached = sum(1 for count in counter.values() if count > 0)
    return f"{100 * reached / len(counter):.0f} % of {len(counter)}"


def merged(counters):
    total = {}
    for name, counter in counters:
        total.update({(name, key): count for key, count in counter.items()})
    return total


def coverage_table(lines, branches):
    text = "| part of kith/ | lines | branches |\n|---|---|---|\n"
    ours = sorted(name for name in lines if name not in ELSEWHERE)

    def line(title, names):
        return (f"| {title} | {share(merged((n, lines[n]) for n in names))} | "
                f"{share(merged((n, branches[n]) for n in names))} |\n")

    for floor in ("base", "os", "memory", "region", "member", "channel", "inspect"):
        text += line(f"`{floor}`", [name for name in ours if name.startswith(f"kith/{floor}/")])
    text += line("**all that bytes of a region lead to**", ours)
    text += line("the rest", [name for name in sorted(lines) if name in ELSEWHERE])
    return text


def rows_table(rows):
    text = "| subject | executions | failed | what was seen |\n|---|---|---|---|\n"
    for row in rows:
        text += f"| {row['subject']} | {row['tried']} | {row['failed']} | {row['detail']} |\n"
    return text


def rest_list():
    return "".join(f"- `{name}`: {why}\n" for name, why in sorted(ELSEWHERE.items()))


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=0, help="for each target; else as prove.sh")
    parser.add_argument("--into", default=os.path.join(ROOT, "docs", "hostile.md"))
    options = parser.parse_args(arguments)
    build()
    rows = rows_of_a_run(options.seconds)
    if any(row["failed"] or not row["tried"] for row in rows):
        raise SystemExit("a row failed: see kith_hostile")
    lines, branches = counts()
    with open(TEXT, encoding="utf-8") as file:
        text = file.read()
    for mark, part in (("ROWS", rows_table(rows)), ("COVERAGE", coverage_table(lines, branches)),
                       ("REST", rest_list())):
        if f"<!-- {mark} -->\n" not in text:
            raise SystemExit(f"{TEXT} has no place for {mark}")
        text = text.replace(f"<!-- {mark} -->\n", part)
    with open(options.into, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
