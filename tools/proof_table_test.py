"""The table of all proofs, on small made-up rows."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import proof_table


def row(**changes):
    return {"proof": "step", "subject": "write", "tried": 7, "failed": 0, "detail": "d", **changes}


def table(*contents):
    """What main() answers, prints and writes for these programs' rows; None is a missing file."""
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, str(i)) for i in range(len(contents))]
        for path, rows in zip(files, contents):
            if rows is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(rows if isinstance(rows, str) else json.dumps(rows))
        merged = os.path.join(folder, "merged")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            result = proof_table.main(["--json", merged, *files])
        with open(merged, encoding="utf-8") as file:
            return result, output.getvalue(), json.load(file)


class TestProofTable(unittest.TestCase):
    def test_rows_of_all_programs_stand_in_one_table(self):
        rows = [row(), row(proof="hostile", subject="flips", tried=123)]
        result, text, merged = table(rows[:1], rows[1:])
        self.assertEqual((result, merged), (0, rows))
        self.assertIn("hostile  flips      123       0", text)
        self.assertIn("proved: 2 rows, nothing failed", text)

    def test_a_program_without_rows_of_that_name_is_no_failure(self):
        self.assertEqual(table([row()], [])[0], 0)

    def test_a_failed_row_fails_and_its_detail_is_shown(self):
        result, text, _ = table([row(), row(failed=1, detail="it hangs")])
        self.assertEqual(result, 1)
        self.assertIn("step: write: it hangs", text)
        self.assertIn("NOT PROVED", text)

    def test_what_tried_nothing_fails(self):
        self.assertEqual(table([row(tried=0)])[0], 1)
        self.assertEqual(table([], [])[0], 1)

    def test_a_program_that_left_nothing_behind_fails(self):
        self.assertEqual(table([row()], None)[0], 1)
        self.assertEqual(table([row()], "no json")[0], 1)
        self.assertEqual(table([row()], [{"proof": "step"}])[0], 1)


if __name__ == "__main__":
    unittest.main()
