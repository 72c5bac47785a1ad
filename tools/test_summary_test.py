"""The summary of a run of the tests, on small made-up results."""

import contextlib
import io
import os
import tempfile
import unittest

import test_summary

RUN = '<testcase name="a" status="run"/>'
FAIL = '<testcase name="b" status="fail"><failure message=""/></testcase>'
SKIP = (
    '<testcase name="c" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
    "<system-out>x.cpp:3: Skipped\nneeds root\n\n[  SKIPPED ] c</system-out></testcase>"
)
NOT_STARTED = (
    '<testcase name="d" status="notrun"><skipped message="Unable to find executable"/></testcase>'
)


def summary(text, status=0):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "results.xml")
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            result = test_summary.main(path, status)
    return result, output.getvalue().splitlines()


def suite(*cases):
    return "<testsuite>" + "".join(cases) + "</testsuite>"


class TestSummary(unittest.TestCase):
    def test_all_passed(self):
        self.assertEqual(summary(suite(RUN, RUN)), (0, ["2 passed, 0 failed"]))

    def test_a_failure_is_named_and_counts(self):
        self.assertEqual(
            summary(suite(RUN, FAIL), 8), (1, ["FAILED b", "1 passed, 1 failed"])
        )

    def test_a_skipped_test_is_named_with_its_reason_and_counts_as_neither(self):
        self.assertEqual(
            summary(suite(RUN, SKIP)), (0, ["skipped c: needs root", "1 passed, 0 failed"])
        )

    def test_a_test_that_could_not_be_started_has_failed(self):
        self.assertEqual(
            summary(suite(RUN, NOT_STARTED), 8), (1, ["FAILED d", "1 passed, 1 failed"])
        )

    def test_no_test_is_a_failure(self):
        for text in (suite(), suite(SKIP), None, "<testsuite>"):
            result, lines = summary(text)
            self.assertEqual((result, lines[-1]), (1, "0 passed, 0 failed"))

    def test_the_status_of_ctest_counts_too(self):
        self.assertEqual(summary(suite(RUN), 8)[0], 1)


if __name__ == "__main__":
    unittest.main()
