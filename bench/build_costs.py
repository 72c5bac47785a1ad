"""What a user's build pays: build_costs.py --json FILE --programs DIR [--quick]. Appends its rows.

Compile time: a file that includes one public header, against an empty file, processor time of the
compiler, in turns, median. Size: small programs with the static library, stripped.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
COMPILERS = ("g++", "clang++")
PROGRAMS = {"nothing": "an empty program", "links": "a program that contains kith",
            "joins": "a program that joins a domain",
            "shares": "a program that writes and reads a channel"}
FLAGS = ["-std=c++20", "-O2", "-c", "-o", os.devnull]


def public_headers(root):
    """The headers that are installed and meant for users, as the library's own list names them."""
    with open(os.path.join(root, "kith", "CMakeLists.txt"), encoding="utf-8") as file:
        listed = re.search(r"set\(KITH_HEADERS(.*?)\)", file.read(), re.DOTALL)
    names = listed.group(1).split() if listed else []
    return [f"kith/{name}" for name in names
            if "internal/" not in name and not name.startswith("os/")]


def row(case, peer, metric, value, unit, ratio=None, limit=None):
    return {"case": case, "peer": peer, "payload_bytes": 0, "metric": metric, "value": value,
            "unit": unit, "ratio": ratio, "limit": limit}


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compiler_name(compiler):
    said = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True, check=True)
    return f"{compiler} {said.stdout.strip()}"


def compile_rows(compiler, headers, repeats):
    times = {name: [] for name in ["", *headers]}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for index, name in enumerate(times):
            files[name] = os.path.join(folder, f"{index}.cpp")
            with open(files[name], "w", encoding="utf-8") as file:
                file.write(f'#include "{name}"\n' if name else "")
        for _ in range(repeats):
            for name, path in files.items():
                times[name].append(processor_seconds([compiler, *FLAGS, "-I.", path]))
    said = compiler_name(compiler)
    empty = statistics.median(times[""])
    rows = [row("limit.compile_empty", said, "p50", empty, "s")]
    for name in headers:
        over = statistics.median(full - bare for full, bare in zip(times[name], times[""]))
        ratio = statistics.median(full / bare for full, bare in zip(times[name], times[""]))
        rows.append(row("compile", f"{said}, {name}", "over_empty", over, "s", ratio,
                        "compile_empty"))
    return rows


def size_rows(programs):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, words in PROGRAMS.items():
            stripped = os.path.join(folder, name)
            subprocess.run(["strip", "-o", stripped, os.path.join(programs, f"bench_{name}")],
                           check=True)
            rows.append(row("program_size", words, "stripped", os.path.getsize(stripped), "bytes"))
    return rows


def print_rows(rows):
    for one in rows:
        ratio = "" if one["ratio"] is None else f" = {one['ratio']:.1f} x {one['limit']}"
        print(f"{one['case'] + ' [' + one['peer'] + ']':<62}  "
              f"{one['metric']} {one['value']:.4g} {one['unit']}{ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    headers = public_headers(ROOT)
    if len(headers) < 10:
        sys.exit(f"only {len(headers)} public headers found")
    if arguments.quick:
        headers = [name for name in headers if name.endswith("channel/latest.hpp")]
    rows = size_rows(arguments.programs)
    for compiler in COMPILERS[:1] if arguments.quick else COMPILERS:
        if shutil.which(compiler):
            rows += compile_rows(compiler, headers, 1 if arguments.quick else 3)
    print_rows(rows)
    present = []
    if os.path.exists(arguments.json) and os.path.getsize(arguments.json) > 0:
        with open(arguments.json, encoding="utf-8") as file:
            present = json.load(file)
    with open(arguments.json, "w", encoding="utf-8") as file:
        json.dump(present + rows, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
