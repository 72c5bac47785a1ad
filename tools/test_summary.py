"""Ends a run of the tests with one line `N passed, N failed`, from ctest's JUnit file.

    test_summary.py RESULTS.xml STATUS

STATUS is what ctest returned. A test that skipped itself is named with its reason and counts as
neither; a test that could not be started has failed. No test at all is a failure too.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def reason_of_skip(case):
    """The words a test gave for skipping itself: the line after GoogleTest's `Skipped`."""
    output = case.findtext("system-out") or ""
    match = re.search(r"Skipped\n(.*)", output)
    words = match.group(1).strip() if match else ""
    return words or "(gave no reason)"


def count(root):
    passed, failed, skipped = [], [], []
    for case in root.iter("testcase"):
        skip = case.find("skipped")
        if case.get("status") == "run":
            passed.append(case)
        elif skip is not None and "SKIP_REG" in (skip.get("message") or ""):
            skipped.append(case)
        else:
            failed.append(case)
    return passed, failed, skipped


def main(path, status):
    try:
        passed, failed, skipped = count(ElementTree.parse(path).getroot())
    except (OSError, ElementTree.ParseError) as error:
        print(f"no results of the tests: {error}")
        passed, failed, skipped = [], [], []
    for case in skipped:
        print(f"skipped {case.get('name')}: {reason_of_skip(case)}")
    for case in failed:
        print(f"FAILED {case.get('name')}")
    bad = bool(failed) or not passed or (status != 0)
    if bad and not failed:
        print(f"the run of the tests itself failed (ctest's status is {status})")
    print(f"{len(passed)} passed, {len(failed)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
