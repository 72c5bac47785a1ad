"""Tests of the report: its numbers, its tables, its drawings. Times nothing."""

import os
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import build_costs  # noqa: E402
import figures  # noqa: E402
from rows import FIELDS, Missing, Rows, bytes_text, rate_text, table, time_text  # noqa: E402
from svg import line_chart, ticks_between  # noqa: E402


def row(case, value, peer="kith", payload=0, metric="p50", unit="ns", ratio=None, limit=None):
    return dict(zip(FIELDS, (case, peer, payload, metric, value, unit, ratio, limit)))


class RowsTest(unittest.TestCase):
    def test_a_row_is_found_by_its_four_names(self):
        rows = Rows([row("read", 3, payload=64), row("read", 4, payload=128)])
        self.assertEqual(rows.value("read", "kith", 128), 4)
        self.assertEqual(rows.payloads("read"), [64, 128])

    def test_a_missing_row_is_an_error_that_names_it(self):
        with self.assertRaisesRegex(Missing, "no row of case write"):
            Rows([row("read", 3)]).value("write")

    def test_a_missing_ratio_is_an_error(self):
        with self.assertRaises(Missing):
            Rows([row("read", 3)]).ratio("read")

    def test_other_fields_are_refused(self):
        with self.assertRaises(ValueError):
            Rows([{"case": "read", "value": 3}])


class TextTest(unittest.TestCase):
    def test_times_are_told_in_fitting_units(self):
        self.assertEqual([time_text(ns) for ns in (1.234, 123.4, 1234, 12345, 2.5e6, 3e9)],
                         ["1.23 ns", "123 ns", "1234 ns", "12.3 us", "2.5 ms", "3 s"])
        self.assertEqual(time_text(None), "-")

    def test_sizes_and_rates_are_told_in_fitting_units(self):
        self.assertEqual([bytes_text(size) for size in (8, 4096, 64 << 20, 4 << 30)],
                         ["8 B", "4 KiB", "64 MiB", "4 GiB"])
        self.assertEqual([rate_text(rate) for rate in (3, 1200, 4.56e6)], ["3", "1.2 k", "4.56 M"])

    def test_a_table_has_a_line_for_each_row(self):
        self.assertEqual(table(["a", "b"], [(1, 2)]), "| a | b |\n|---|---|\n| 1 | 2 |")


class FiguresTest(unittest.TestCase):
    def test_growth_is_linear_or_less_also_after_a_flat_beginning(self):
        self.assertTrue(figures.is_at_most_linear([(1, 5), (10, 5), (100, 5)]))
        self.assertTrue(figures.is_at_most_linear([(1, 5), (10, 50), (100, 500)]))
        self.assertTrue(figures.is_at_most_linear([(1, 16), (10, 16), (100, 224), (1000, 2024)]))
        self.assertFalse(figures.is_at_most_linear([(1, 5), (10, 500)]))
        self.assertFalse(figures.is_at_most_linear([(1, 50), (10, 51), (100, 51), (1000, 800)]))

    def test_a_ratio_is_judged_as_it_is_printed(self):
        rows = Rows([row("attach", 100, ratio=1.404, limit="attach_sequence")])
        self.assertEqual(figures.against(rows, "attach", "kith", 0, 1.4),
                         ("1.40 x (100 ns)", True))
        self.assertFalse(figures.against(rows, "attach", "kith", 0, 1.39)[1])

    def test_sizes_that_cost_more_are_a_miss(self):
        def judge(times):
            return figures.sizes(Rows([row("read_by_size", ns, payload=8 << i)
                                       for i, ns in enumerate(times)]))[0].fine
        self.assertTrue(judge([10, 10.5, 10]))
        self.assertFalse(judge([10, 10.5, 40]))


class LocksTest(unittest.TestCase):
    def wanted(self, ratios, p99=1.0):
        rows = [row("two", 1e6, metric="throughput"), row("two", 1e6, metric="hand_overs"),
                row("two", 900, metric="p99")]
        for peer, ratio in ratios.items():
            rows += [row("two_against", ratio, peer, metric="throughput_ratio", unit="x"),
                     row("two_against", ratio, peer, metric="hand_overs_ratio", unit="x"),
                     row("two_against", p99, peer, metric="p99_ratio", unit="x")]
        return figures.wanted_lock(Rows(rows), "two", "two")

    def test_a_mutex_is_judged_by_its_best_rival(self):
        fine = self.wanted({figures.PLAIN: 1.5, "futex": 0.9})
        self.assertEqual([one.fine for one in fine], [True, True, True])
        self.assertIn("0.90 x futex", fine[0].reached)
        missed = self.wanted({figures.PLAIN: 1.5, "futex": 0.89}, p99=1.2)
        self.assertEqual([one.fine for one in missed], [False, False, False])

    def test_a_crowd_is_told_by_who_wants_it(self):
        rows = Rows([row("lock_crowd", n * 10, f"kith, {n}", metric="throughput", unit="1/s")
                     for n in (16, 2)] + [row("lock_crowd", 1, "other, 2", metric="throughput")])
        self.assertEqual(figures.crowd(rows, "kith"), [(2, 20), (16, 160)])

    def death(self, p99, resident):
        values = {"p50": 1, "p99": p99, "max": p99, "resident": resident}
        rows = [row("lock_death", value, metric=metric) for metric, value in values.items()]
        for peer in ("kith, acquire and release", "kith, lock and unlock"):
            rows.append(row("lock", 15, peer, ratio=2.1, limit="exchange_store"))
        for peer in (figures.PLAIN, figures.ROBUST):
            rows.append(row("lock_against", 0.6, peer, metric="p50_ratio", unit="x"))
        for case in ("lock_two", "lock_two_apart"):
            rows += [row(case, 1, metric=metric) for metric in ("throughput", "hand_overs", "p99")]
            rows += [row(case + "_against", 1, figures.PLAIN, metric=metric + "_ratio")
                     for metric in ("throughput", "hand_overs", "p99")]
        rows += self.readers_rows(1.0) + self.guarded_rows(1.4) + self.wake_rows(1.0)
        return figures.locks(Rows(rows))[-1].fine

    def test_a_death_counts_only_of_a_small_holder(self):
        self.assertTrue(self.death(1.9e6, 4 << 20))
        self.assertFalse(self.death(2.1e6, 4 << 20))
        self.assertFalse(self.death(1.9e6, 17 << 20))


    def readers_rows(self, slowdown, ratio=2.5):
        rows = [row("read_lock", 17, peer, ratio=ratio, limit="exchange_store")
                for peer in ("kith, acquire_shared and release",
                             "kith, lock_shared and unlock_shared")]
        rows += [row("read_lock_two", slowdown, peer, metric="slowdown", unit="x")
                 for peer in ("kith", "pthread rwlock", "machine, nothing shared")]
        return rows

    def test_readers_must_not_slow_each_other(self):
        def judge(*numbers):
            return [one.fine for one in figures.shared_lock(Rows(self.readers_rows(*numbers)))]
        self.assertEqual(judge(1.1), [True, True])
        self.assertEqual(judge(1.2), [True, False])
        self.assertEqual(judge(1.0, 2.7), [False, True])

    def guarded_rows(self, change):
        rows = []
        for verb, ratio in (("change", change), ("set", 1.0)):
            rows += [row("guarded", 19, f"kith, {verb}", 64),
                     row("guarded", ratio, f"kith, {verb}", 64, "mutex_ratio", "x")]
        return rows

    def test_a_commit_is_judged_by_the_dearer_verb(self):
        def judge(change):
            return figures.guarded(Rows(self.guarded_rows(change)))[0].fine
        self.assertTrue(judge(1.5))
        self.assertFalse(judge(1.6))

    def wake_rows(self, ratio, slept=1):
        rows = []
        for peer, one in (("kith, Event", 1.0), ("kith, Semaphore", ratio), ("sem_t", 9.0)):
            rows += [row("lock_wake", 4e4, peer, ratio=one, limit="futex_pair"),
                     row("lock_wake", slept, peer, metric="slept", unit="of all")]
        return rows

    def test_a_wake_counts_only_of_who_slept(self):
        def judge(*numbers):
            return figures.lock_wake(Rows(self.wake_rows(*numbers)))[0].fine
        self.assertTrue(judge(1.15))
        self.assertFalse(judge(1.16))
        self.assertFalse(judge(1.0, 0.5))


class DrawingTest(unittest.TestCase):
    def test_a_drawing_is_xml_with_a_line_for_each_series(self):
        drawing = line_chart("a < b", "x", ["1", "2", "3"],
                             [("one & only", [1, 10, 100]), ("gap", [5, None, 7])], "ns")
        tree = ElementTree.fromstring(drawing)
        lines = tree.findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual([len(line.get("points").split()) for line in lines], [3, 2])

    def test_higher_values_lie_higher(self):
        tree = ElementTree.fromstring(line_chart("t", "x", ["1", "2"], [("s", [1, 100])], "ns"))
        line = tree.find("{http://www.w3.org/2000/svg}polyline")
        (_, low), (_, high) = (point.split(",") for point in line.get("points").split())
        self.assertLess(float(high), float(low))

    def test_nothing_to_draw_is_an_error(self):
        with self.assertRaises(ValueError):
            line_chart("t", "x", ["1"], [("s", [None])], "ns")

    def test_ticks_are_powers_of_ten_or_between_them(self):
        self.assertEqual(ticks_between(1, 1e6), [10.0 ** power for power in range(7)])
        self.assertEqual(ticks_between(1, 10), [1, 2, 5, 10])


class BuildCostsTest(unittest.TestCase):
    def test_headers_come_from_the_librarys_own_list(self):
        headers = build_costs.public_headers(build_costs.ROOT)
        self.assertIn("kith/channel/latest.hpp", headers)
        self.assertFalse([name for name in headers if "internal/" in name or "/os/" in name])

    def test_rows_have_the_agreed_fields(self):
        self.assertEqual(list(build_costs.row("compile", "g++", "p50", 1, "s")), FIELDS)


class ReportTest(unittest.TestCase):
    def test_a_run_without_the_needed_rows_makes_no_document(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write("[]")
            report = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.py")
            done = subprocess.run([sys.executable, report, path, "--into", folder],
                                  capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertFalse(os.path.exists(os.path.join(folder, "performance.md")))


if __name__ == "__main__":
    unittest.main()
