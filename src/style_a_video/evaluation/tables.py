"""Cells to tables: means over clips with confidence intervals, the best marked; as rows, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from ..errors import InputError
from .cells import Cell

MEASURES: dict[str, tuple[str, bool | None, int]] = {
    "warp_error": ("E_warp", False, 4), "temporal_loss_1": ("temporal loss 1", False, 4), "temporal_loss_5": ("temporal loss 5", False, 4),
    "style": ("style", True, 3), "content": ("content", True, 3), "sharpness": ("sharpness", None, 4),
    "evaluations": ("UNet evaluations a frame", None, 2), "seconds": ("s a frame", None, 3),
}  # fmt: skip
"""Heading, whether higher is better (None: neither is by itself), and decimals; the order of the columns."""


@dataclass(frozen=True)
class Entry:
    """A mean over clips, each clip's being that over its prompts, and the half width of its 95 % interval (None for one clip)."""

    mean: float
    half_width: float | None
    rank: int = 0
    """1 for the best of its column, 2 for the second; 0 else."""


@dataclass(frozen=True)
class Row:
    method: str
    entries: dict[str, Entry]
    done: int
    """Cells that succeeded, of `asked`."""
    asked: int
    errors: tuple[str, ...]


def table(cells: Sequence[Cell]) -> list[Row]:
    """One row a method, in the order of the cells.

    Raises InputError for scores of two encoders: they cannot stand in one table.
    """
    encoders = sorted({cell.encoder for cell in cells})
    if len(encoders) > 1:
        raise InputError(f"scores of {' and '.join(encoders)} cannot stand in one table: measure all with one encoder")
    rows = []
    for method in dict.fromkeys(cell.method for cell in cells):
        own = [cell for cell in cells if cell.method == method]
        good = [cell for cell in own if not cell.error]
        entries = {name: entry for name in MEASURES if (entry := _entry(good, name)) is not None}
        errors = tuple(dict.fromkeys(cell.error for cell in own if cell.error))
        rows.append(Row(method, entries, len(good), len(own), errors))
    return _ranked(rows)


def _entry(cells: Sequence[Cell], measure: str) -> Entry | None:
    by_clip: dict[str, list[float]] = {}
    for cell in cells:
        value = cell.means.get(measure)
        if value is not None:
            by_clip.setdefault(cell.clip, []).append(value)
    if not by_clip:
        return None
    means = np.array([np.mean(values) for values in by_clip.values()])
    if len(means) == 1:
        return Entry(float(means[0]), None)
    half = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return Entry(float(means.mean()), float(half))


def _ranked(rows: list[Row]) -> list[Row]:
    """Best and second of every column, of the rows that have all their cells: a mean over fewer clips is another mean."""
    complete = [row for row in rows if row.done == row.asked]
    ranks: dict[tuple[str, str], int] = {}
    for name, (_, higher, _) in MEASURES.items():
        if higher is None:
            continue
        there = [row for row in complete if name in row.entries]
        if len(there) < 2:
            continue
        order = sorted(there, key=lambda row: row.entries[name].mean, reverse=higher)
        for rank, row in enumerate(order[:2], start=1):
            ranks[row.method, name] = rank
    return [
        Row(
            row.method,
            {k: Entry(e.mean, e.half_width, ranks.get((row.method, k), 0)) for k, e in row.entries.items()},
            row.done, row.asked, row.errors,
        )
        for row in rows
    ]  # fmt: skip


def shown(entry: Entry | None, measure: str) -> str:
    """As a table prints it: mean ± half width."""
    if entry is None:
        return "-"
    decimals = MEASURES[measure][2]
    half = "" if entry.half_width is None else f" ± {entry.half_width:.{decimals}f}"
    return f"{entry.mean:.{decimals}f}{half}"


def as_markdown(rows: Sequence[Row]) -> str:
    """The table; the best in bold, the second in italics."""
    marks = {0: "", 1: "**", 2: "*"}
    lines = [f"| | {' | '.join(heading for heading, _, _ in MEASURES.values())} |", f"|{'---|' * (1 + len(MEASURES))}"]
    for row in rows:
        texts = []
        for name in MEASURES:
            entry = row.entries.get(name)
            mark = marks[entry.rank] if entry else ""
            texts.append(f"{mark}{shown(entry, name)}{mark}")
        lines.append(f"| {row.method.replace('|', '&#124;')}{_lacking(row)} | {' | '.join(texts)} |")
    return "\n".join(lines)


def as_csv(cells: Sequence[Cell]) -> str:
    """Every cell a line, with its error where it failed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", "clip", "prompt", "encoder", *MEASURES, "error"])
    for cell in cells:
        writer.writerow(
            [
                cell.method,
                cell.clip,
                cell.prompt,
                cell.encoder,
                *(cell.means.get(name) for name in MEASURES),
                cell.error,
            ]
        )
    return text.getvalue()


def _lacking(row: Row) -> str:
    return "" if row.done == row.asked else f" (failed in {row.asked - row.done} of {row.asked})"
