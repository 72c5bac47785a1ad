"""What the tests reach of kith/, beside the reasons for the rest.

    coverage.py SUMMARY.json PAGE [--write]

SUMMARY.json is gcovr's (--json-summary). PAGE holds a table of the files with lines that no test
reaches, each with a reason written by hand. --write puts the figures in and keeps the reasons.
Exits with 1 if too little was counted to mean anything, if such a file has no reason, or if the
page names a file that is not there. The figures themselves differ a little from run to run, as the
races do that the tests run, and are compared with nothing.
"""

import argparse
import json
import re
import sys

BEGIN = "<!-- figures written by scripts/coverage.sh --write, reasons by hand: begin -->"
END = "<!-- end -->"
BLOCK = re.compile(re.escape(BEGIN) + "(.*?)" + re.escape(END), re.DOTALL)
ROW = re.compile(r"^\| \[([^\]]+)\]\([^)]*\) \|[^|]*\|[^|]*\| ?(.*?) ?\|$", re.MULTILINE)
NO_REASON = "?"

# Below these numbers nothing was covered, or not the library.
AT_LEAST = {"files": 60, "lines": 3000, "lines reached": 2500}


def reasons_in(page):
    found = BLOCK.findall(page)
    if len(found) != 1:
        raise ValueError("the page has not the two marks between which the table stands")
    return dict(ROW.findall(found[0]))


def percent(part, whole):
    """Rounded down, so that 100 means all."""
    return "100 %" if part == whole else f"{1000 * part // whole / 10} %"


def line_of(name, reached, lines, branches_reached, branches, reason):
    return (f"| {name} | {reached} of {lines}, {percent(reached, lines)} | "
            f"{percent(branches_reached, branches) if branches else '–'} | {reason} |")


def table_of(summary, reasons):
    rows = ["| file | lines | branches | what is not reached, and why |", "|---|---|---|---|"]
    whole = 0
    for file in sorted(summary["files"], key=lambda one: one["filename"]):
        name = file["filename"]
        # What only some runs reach keeps its reason for the others.
        if file["line_covered"] == file["line_total"] and name not in reasons:
            whole += 1
            continue
        rows.append(line_of(f"[{name}](../{name})", file["line_covered"], file["line_total"],
                            file["branch_covered"], file["branch_total"],
                            reasons.get(name, NO_REASON)))
    rows.append(line_of("all files", summary["line_covered"], summary["line_total"],
                        summary["branch_covered"], summary["branch_total"],
                        f"{whole} more files, whose every line is reached, are left out above"))
    return "\n".join(rows)


def problems_in(summary, reasons):
    counts = {"files": len(summary["files"]), "lines": summary["line_total"],
              "lines reached": summary["line_covered"]}
    problems = [f"counted {counts[what]} {what}, fewer than {least}"
                for what, least in AT_LEAST.items() if counts[what] < least]
    names = {file["filename"] for file in summary["files"]}
    problems += [f"{name}: the page gives reasons for a file that is not there"
                 for name in sorted(set(reasons) - names)]
    problems += [f"{file['filename']}: {file['line_total'] - file['line_covered']} lines that no "
                 "test reaches, and no reason in the page"
                 for file in summary["files"]
                 if file["line_covered"] < file["line_total"]
                 and reasons.get(file["filename"], NO_REASON) == NO_REASON]
    return problems


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("summary")
    parser.add_argument("page")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    with open(options.summary, encoding="utf-8") as file:
        summary = json.load(file)
    with open(options.page, encoding="utf-8") as file:
        page = file.read()
    reasons = reasons_in(page)
    if options.write:
        table = table_of(summary, reasons)
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(BLOCK.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", page))
    problems = problems_in(summary, reasons)
    print("\n".join(problems))
    print(f"coverage of kith/: {percent(summary['line_covered'], summary['line_total'])} of "
          f"{summary['line_total']} lines, "
          f"{percent(summary['branch_covered'], summary['branch_total'])} of "
          f"{summary['branch_total']} branches; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
