"""A row of docs/guarantees.md, and a table of them; promises.py says what is in a row."""

from typing import NamedTuple


class Row(NamedTuple):
    operations: str
    death: str
    stop: str
    restart: str
    hostile: str
    shown: dict


class Section(NamedTuple):
    title: str
    rows: list
