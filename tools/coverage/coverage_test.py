"""The page of what tests reach, on a small made-up summary."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import coverage

PAGE = f"""before

{coverage.BEGIN}

| file | lines | branches | what is not reached, and why |
|---|---|---|---|
| [kith/a.cpp](../kith/a.cpp) | 1 of 2, 50 % | – | errors of the kernel |

{coverage.END}

after
"""


def file(name, reached, lines):
    return {"filename": name, "line_covered": reached, "line_total": lines,
            "branch_covered": 1, "branch_total": 4}


def run(files, page=PAGE, least=None):
    """What main() answers and prints, and the page after it wrote."""
    summary = {"files": files, "line_total": sum(one["line_total"] for one in files),
               "line_covered": sum(one["line_covered"] for one in files),
               "branch_total": 4 * len(files), "branch_covered": len(files)}
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("summary", "page")]
        for path, text in zip(paths, (json.dumps(summary), page)):
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        output = io.StringIO()
        with contextlib.redirect_stdout(output), \
                mock.patch("coverage.AT_LEAST", least or {"files": 1}):
            result = coverage.main([*paths, "--write"])
        with open(paths[1], encoding="utf-8") as written:
            return result, output.getvalue(), written.read()


class TestCoverage(unittest.TestCase):
    def test_figures_are_new_and_reasons_stay(self):
        result, text, page = run([file("kith/a.cpp", 7, 9), file("kith/b.cpp", 5, 5)])
        self.assertEqual(result, 0, text)
        self.assertIn("| [kith/a.cpp](../kith/a.cpp) | 7 of 9, 77.7 % | 25.0 % | "
                      "errors of the kernel |", page)
        self.assertNotIn("kith/b.cpp", page)
        self.assertIn("| all files | 12 of 14, 85.7 % |", page)
        self.assertTrue(page.startswith("before\n") and page.endswith("after\n"))

    def test_what_is_not_reached_wants_a_reason(self):
        result, text, page = run([file("kith/a.cpp", 7, 9), file("kith/b.cpp", 4, 5)])
        self.assertEqual(result, 1)
        self.assertIn("kith/b.cpp: 1 lines that no test reaches, and no reason", text)
        # Written with a mark in place of the reason, which is none the next time either.
        self.assertEqual(run([file("kith/a.cpp", 7, 9), file("kith/b.cpp", 4, 5)], page)[0], 1)

    def test_a_reason_stays_where_all_was_reached_this_time(self):
        result, _, page = run([file("kith/a.cpp", 9, 9)])
        self.assertEqual(result, 0)
        self.assertIn("| 9 of 9, 100 % | 25.0 % | errors of the kernel |", page)

    def test_a_reason_for_no_file_is_a_problem(self):
        result, text, _ = run([file("kith/b.cpp", 5, 5)])
        self.assertEqual(result, 1)
        self.assertIn("kith/a.cpp: the page gives reasons for a file that is not there", text)

    def test_nothing_covered_is_a_problem(self):
        result, text, _ = run([file("kith/a.cpp", 0, 9)], least={"files": 1, "lines reached": 5})
        self.assertEqual(result, 1)
        self.assertIn("counted 0 lines reached, fewer than 5", text)

    def test_all_is_only_all(self):
        self.assertEqual(coverage.percent(5, 5), "100 %")
        self.assertEqual(coverage.percent(99999, 100000), "99.9 %")


if __name__ == "__main__":
    unittest.main()
