"""The rows of all proofs as one table: proof_table.py [--json FILE] ROWS.json ...

Each file holds the rows of one program. Exits with 1 if a row failed or tried nothing, if a program
left no rows behind, or if there are none at all: silence must not pass for success.
"""

import argparse
import json
import sys

COLUMNS = ("proof", "subject", "tried", "failed")


def rows_in(path):
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    for row in rows:
        if set(row) != {*COLUMNS, "detail"}:
            raise ValueError(f"{path}: a row has the columns {sorted(row)}")
    return rows


def table_of(rows):
    lines = [COLUMNS, *([str(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = ""
    for proof, subject, *numbers in lines:
        text += f"{proof:{widths[0]}}  {subject:{widths[1]}}"
        text += "".join(f"  {number:>{width}}" for number, width in zip(numbers, widths[2:])) + "\n"
    return text


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args(arguments)
    rows, problems = [], []
    for path in options.files:
        try:
            rows += rows_in(path)
        except (OSError, ValueError) as error:
            problems.append(f"no rows: {error}")
    for row in rows:
        if row["failed"] != 0 or row["tried"] == 0:
            problems.append(f"{row['proof']}: {row['subject']}: {row['detail']}")
    if not rows:
        problems.append("nothing was tried at all")
    print("\n" + table_of(rows))
    for problem in problems:
        print(problem)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2)
            file.write("\n")
    print("NOT PROVED: see above" if problems else f"proved: {len(rows)} rows, nothing failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
