"""The rows of a run, and how to find one."""

import json

FIELDS = ["case", "peer", "payload_bytes", "metric", "value", "unit", "ratio", "limit"]


class Missing(Exception):
    """A row that the document needs is not there."""


class Rows:
    def __init__(self, rows):
        for row in rows:
            if list(row) != FIELDS:
                raise ValueError(f"a row with other fields: {row}")
        self.rows = rows
        self.places = {}
        for row in rows:
            key = (row["case"], row["peer"], row["payload_bytes"], row["metric"])
            self.places.setdefault(key, row)

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def row(self, case, peer="kith", payload=0, metric="p50"):
        key = (case, peer, payload, metric)
        if key not in self.places:
            raise Missing(f"no row of case {case}, peer {peer}, {payload} bytes, metric {metric}")
        return self.places[key]

    def value(self, case, peer="kith", payload=0, metric="p50"):
        return self.row(case, peer, payload, metric)["value"]

    def ratio(self, case, peer="kith", payload=0, metric="p50"):
        found = self.row(case, peer, payload, metric)["ratio"]
        if found is None:
            raise Missing(f"no ratio of case {case}, peer {peer}")
        return found

    def maybe(self, case, peer, payload, metric):
        found = self.places.get((case, peer, payload, metric))
        return None if found is None else found["value"]

    def fact(self, metric):
        """Text and number of a fact of the machine."""
        for row in self.rows:
            if row["case"] == "machine" and row["metric"] == metric:
                return row["peer"], row["value"]
        raise Missing(f"no fact about the machine: {metric}")

    def peers(self, case):
        return unique(row["peer"] for row in self.rows if row["case"] == case)

    def payloads(self, case):
        return sorted({row["payload_bytes"] for row in self.rows if row["case"] == case})

    def of(self, case, metric):
        return [row for row in self.rows if row["case"] == case and row["metric"] == metric]


def unique(values):
    return list(dict.fromkeys(values))


def bytes_text(count):
    for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= size:
            return f"{count / size:g} {name}"
    return f"{count:g} B"


def time_text(ns):
    if ns is None:
        return "-"
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e4, "us")):
        if ns >= size:
            return f"{ns / (1e3 if name == 'us' else size):.3g} {name}"
    return f"{ns:.3g} ns" if ns < 1000 else f"{ns:.0f} ns"


def rate_text(rate):
    if rate is None:
        return "-"
    for size, name in ((1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.3g} {name}"
    return f"{rate:.3g}"


def table(heads, lines):
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    out += ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join(out)
