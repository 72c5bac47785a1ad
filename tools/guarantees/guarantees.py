"""The table in docs/guarantees.md: what each public operation promises, and what shows it.

    guarantees.py check|write TREE BUILD PROGRAM ...

BUILD is where ctest knows the tests; each PROGRAM is one of the proofs, and is asked for its
subjects by --list. `check` exits with 1 if the page says something else than would be written, if a
public operation has no promise or one that is gone has, if a named test or subject does not exist,
or if a subject of the proofs stands nowhere; with 77 if the tests were not all built.
"""

import argparse
import fnmatch
import json
import os
import re
import subprocess
import sys

import operations
import promises

PAGE = os.path.join("docs", "guarantees.md")
BEGIN = "<!-- written by tools/guarantees from the names of tests and proofs: begin -->"
END = "<!-- end -->"
# The columns, and the kinds of proof that stand in each.
PROOFS = {"step killer": ("step",), "campaign": ("campaign",), "explorer": ("explore", "mutate"),
          "hostile bytes": ("hostile",), "other tests": ("test",)}

# Below these numbers something was not looked at.
AT_LEAST = {"operations": 150, "subjects": 40, "tests": 400}


class NotBuilt(Exception):
    pass


def names_of_tests(build):
    answer = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                            capture_output=True, text=True, check=True)
    names = [test["name"].split("  #")[0].strip() for test in json.loads(answer.stdout)["tests"]]
    missing = [name for name in names if name.endswith("_NOT_BUILT")]
    if missing:
        raise NotBuilt(f"{len(missing)} programs of tests are not built, {missing[0]} among them")
    return names


def subjects_of(programs):
    """The names of the subjects by the kind of proof."""
    subjects = {}
    for program in programs:
        answer = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
        for line in answer.stdout.splitlines():
            proof, name = line.split("\t")
            subjects.setdefault(proof, []).append(name)
    return subjects


def operations_in(text):
    """`CLASS ...: METHOD ...` lines as the operations they stand for."""
    found = []
    for line in text.strip().split("\n"):
        classes, _, methods = line.partition(":")
        for method in methods.split():
            found += [f"{name}::{method}" for name in classes.split()] or [method]
    return found


def all_rows():
    return [row for section in promises.SECTIONS for row in section.rows]


def problems_of_operations(public):
    named = [one for row in all_rows() for one in operations_in(row.operations)]
    named += operations_in(promises.PRIVATE)
    problems = [f"{one} has no promise" for one in sorted(set(public) - set(named))]
    problems += [f"{one} is no public operation" for one in sorted(set(named) - set(public))]
    problems += [f"{one} stands in two rows" for one in sorted(set(named)) if named.count(one) > 1]
    return problems


def matches(pattern, names):
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def suite_of(test):
    """`memory_test.Kinds/Conformance/0.IsZeroed` is of the suite `Conformance`."""
    suite = test.split(".")[1]
    parts = [part for part in suite.split("/") if not part.isdigit()]
    return parts[-1]


def tests_in_words(found):
    """Pairs of a test and whether it was named whole, grouped by the program."""
    programs = {}
    for test, whole in found:
        program, _, rest = test.partition(".")
        names = programs.setdefault(program, [])
        name = rest if whole else suite_of(test)
        if name not in names:
            names.append(name)
    return [f"`{program}`: " + ", ".join(names) for program, names in programs.items()]


class Shown:
    """Looks names up, and remembers what was found nowhere and what was never asked for."""

    def __init__(self, tests, subjects):
        self.tests, self.subjects = tests, subjects
        self.problems, self.used = [], set()

    def cells(self, shown):
        """What stands in the columns of PROOFS."""
        self.problems += [f"`{kind}` is no kind of proof" for kind in shown
                          if kind not in sum(PROOFS.values(), ())]
        return ["<br>".join(line for kind in kinds for line in self.lines(kind, shown))
                for kinds in PROOFS.values()]

    def lines(self, kind, shown):
        subjects, tests = [], []
        for pattern in shown.get(kind, []):
            of_proof = matches(pattern, self.subjects.get(kind, []))
            of_tests = matches(pattern, self.tests) if kind in ("hostile", "test") else []
            if not of_proof and not of_tests:
                self.problems.append(f"there is no {kind} by the name of `{pattern}`")
            subjects += [name for name in of_proof if name not in subjects]
            tests += [(name, "*" not in pattern) for name in of_tests]
        self.used.update((kind, name) for name in subjects)
        before = "mutants of " if kind == "mutate" else ""
        return [f"{before}`{name}`" for name in subjects] + tests_in_words(tests)

    def problems_in_the_end(self):
        unused = [f"{kind}: `{name}` shows no promise"
                  for kind, names in sorted(self.subjects.items()) for name in names
                  if (kind, name) not in self.used]
        return self.problems + unused


def cell_of_operations(text):
    lines = []
    for line in text.strip().split("\n"):
        classes, _, methods = line.partition(":")
        said = ", ".join(f"`{name}`" for name in methods.split())
        of = ", ".join(promises.KNOWN_AS.get(name, f"`{name}`") for name in classes.split())
        lines.append(f"{of}: {said}" if of else said)
    return "<br>".join(lines)


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def table(section, shown):
    """Two: what is promised, and by what it is shown."""
    promised = [row_of(["operation", "a death", "a stopped peer", "a restart", "a hostile peer"]),
                "|---" * 5 + "|"]
    proofs = [row_of(["operation", *PROOFS]), "|---" * (1 + len(PROOFS)) + "|"]
    for row in section.rows:
        operation = cell_of_operations(row.operations)
        promised.append(row_of([operation, row.death, row.stop, row.restart, row.hostile]))
        proofs.append(row_of([operation, *shown.cells(row.shown)]))
    return [f"### {section.title}", "", *promised, "", "Shown by:", "", *proofs, ""]


def text_of(shown):
    lines = []
    for section in promises.SECTIONS:
        lines += table(section, shown)
    private = [cell_of_operations(line) for line in promises.PRIVATE.strip().split("\n")]
    lines += ["No other process can change what these answer: " + "; ".join(private) + ".", ""]
    return "\n".join(lines)


def page_with(page, text):
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"{PAGE} has not the two marks between which the table stands")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n{END}", page)


def problems_of_counts(counts):
    return [f"looked at {counts[what]} {what}, fewer than {least}"
            for what, least in AT_LEAST.items() if counts[what] < least]


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("check", "write"))
    parser.add_argument("tree")
    parser.add_argument("build")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args(arguments)
    try:
        tests = names_of_tests(options.build)
    except NotBuilt as why:
        print(f"Skipped\n{why}")
        return 77
    public, subjects = operations.operations_of(options.tree), subjects_of(options.programs)
    shown = Shown(tests, subjects)
    text = text_of(shown)
    problems = problems_of_operations(public) + shown.problems_in_the_end()
    counts = {"operations": len(public), "tests": len(tests),
              "subjects": sum(len(names) for names in subjects.values())}
    problems += problems_of_counts(counts)
    path = os.path.join(options.tree, PAGE)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    wanted = page_with(page, text)
    if options.what == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != page:
        problems.append(f"{PAGE} is not what its names make of it; this puts it right:\n  python3 "
                        + " ".join([sys.argv[0], "write", *arguments[1:]]))
    print("\n".join(problems))
    print(f"guarantees: {len(problems)} problems; looked at {counts}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
