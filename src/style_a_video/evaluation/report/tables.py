"""Cells to tables: means over clips with confidence intervals, the best marked; as rows, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from ...errors import InputError
from ..cache import Cell
from ..metrics import Measures

MEASURES: dict[str, tuple[str, bool | None, int]] = {
    "warp_error": ("E_warp", False, 4),
    "temporal_loss_1": ("temporal loss 1", False, 4),
    "temporal_loss_5": ("temporal loss 5", False, 4),
    "style": ("style", True, 3),
    "content": ("content", True, 3),
    "edges": ("edges", True, 3),
    "sharpness": ("sharpness", None, 4),
    "evaluations": ("UNet evaluations a frame", None, 2),
    "seconds": ("s a frame", None, 3),
}
"""Heading, whether higher is better (None: neither is by itself), and decimals; the order of the columns."""


def heading(measure: str) -> str:
    """Of a column, with an arrow to where better is."""
    name, higher, _ = MEASURES[measure]
    return name if higher is None else f"{name} {'↑' if higher else '↓'}"


@dataclass(frozen=True)
class Entry:
    """A mean over clips, of each clip's mean over its prompts, and the half width of its 95 % interval."""

    mean: float
    half_width: float | None
    """None for one clip. Within clips where several methods have them all (`_clip_effects`)."""
    rank: int = 0
    """1 for the best of its column, 2 for the second, 0 else; what prints alike ranks alike."""


@dataclass(frozen=True)
class Row:
    """A method's line of a table."""

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
    by_method = {
        method: [cell for cell in cells if cell.method == method] for method in dict.fromkeys(c.method for c in cells)
    }
    whole = [own for own in by_method.values() if not any(cell.error for cell in own)]
    effects = {name: _clip_effects([_clip_means(own, name) for own in whole]) for name in MEASURES}
    rows = []
    for method, own in by_method.items():
        good = [cell for cell in own if not cell.error]
        entries = {
            name: entry
            for name in MEASURES
            if (entry := _entry(_clip_means(good, name), effects[name] if own in whole else {}, len(whole)))
        }
        errors = tuple(dict.fromkeys(cell.error for cell in own if cell.error))
        rows.append(Row(method, entries, len(good), len(own), errors))
    return _ranked(rows)


def held_fixed(cells: Sequence[Cell]) -> str:
    """Which settings of the job all cells share, and which differ; empty where other methods are among them."""
    jobs = [cell.settings.get("job") for cell in cells]
    if not jobs or not all(jobs):
        return ""
    texts = {name: {json.dumps(job.get(name), sort_keys=True) for job in jobs if job} for name in jobs[0] or {}}
    fixed = ", ".join(f"{name} {min(values)}" for name, values in texts.items() if len(values) == 1)
    changed = ", ".join(name for name, values in texts.items() if len(values) > 1)
    return f"Changed: {changed}. Held fixed: {fixed}."


def _clip_means(cells: Sequence[Cell], measure: str) -> dict[str, float]:
    by_clip: dict[str, list[float]] = {}
    for cell in cells:
        value = cell.means.get(measure)
        if value is not None:
            by_clip.setdefault(cell.clip, []).append(value)
    return {clip: float(np.mean(values)) for clip, values in by_clip.items()}


def _clip_effects(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """How far each clip lies above the mean of all clips, in the mean over methods.

    All methods see the same clips, and a clip that is hard for all says nothing of their order. So intervals are of
    what is left without these effects (Cousineau, 2005). Empty for fewer than two methods, or where one lacks a clip.
    """
    if len(rows) < 2 or len({tuple(row) for row in rows}) > 1:
        return {}
    of_clip = {clip: float(np.mean([row[clip] for row in rows])) for clip in rows[0]}
    grand = float(np.mean(list(of_clip.values()))) if of_clip else 0.0
    return {clip: value - grand for clip, value in of_clip.items()}


def _entry(of_clip: dict[str, float], effects: dict[str, float], methods: int) -> Entry | None:
    if not of_clip:
        return None
    mean = float(np.mean(list(of_clip.values())))
    if len(of_clip) == 1:
        return Entry(mean, None)
    left = np.array([value - effects.get(clip, 0.0) for clip, value in of_clip.items()])
    # Taking the clips' effects out takes some of the rest too (Morey, 2008).
    correction = methods / (methods - 1) if effects else 1.0
    half = student.ppf(0.975, len(left) - 1) * np.sqrt(correction * left.var(ddof=1) / len(left))
    return Entry(mean, float(half))


def _ranked(rows: list[Row]) -> list[Row]:
    """Best and second of every column. Rows that lack a cell are not ranked: theirs are means over other clips."""
    complete = [row for row in rows if row.done == row.asked]
    ranks: dict[tuple[str, str], int] = {}
    for name, (_, higher, decimals) in MEASURES.items():
        if higher is None:
            continue
        there = [row for row in complete if name in row.entries]
        if len(there) < 2:
            continue
        printed = {row.method: round(row.entries[name].mean, decimals) for row in there}
        best = sorted(set(printed.values()), reverse=higher)
        for method, value in printed.items():
            place = sum(other < value if not higher else other > value for other in printed.values())
            ranks[method, name] = 1 if value == best[0] else 2 if place == 1 else 0
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
    lines = [f"| | {' | '.join(map(heading, MEASURES))} |", f"|{'---|' * (1 + len(MEASURES))}"]
    for row in rows:
        texts = []
        for name in MEASURES:
            entry = row.entries.get(name)
            mark = marks[entry.rank] if entry else ""
            texts.append(f"{mark}{shown(entry, name)}{mark}")
        lines.append(f"| {labelled(row).replace('|', '&#124;')} | {' | '.join(texts)} |")
    return "\n".join(lines)


def as_csv(sections: Mapping[str, Sequence[Cell]]) -> str:
    """A line a cell: its section, every measure with E_warp's two terms, its error, and its settings as JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [*MEASURES, "warp_error_long", "warp_error_short"]
    writer.writerow(["section", "method", "clip", "prompt", "encoder", *columns, "error", "settings"])
    for title, cells in sections.items():
        for cell in cells:
            means = [cell.means.get(name) for name in columns]
            settings = json.dumps(cell.settings, ensure_ascii=False, sort_keys=True)
            writer.writerow([title, cell.method, cell.clip, cell.prompt, cell.encoder, *means, cell.error, settings])
    return text.getvalue()


def frames_as_csv(found: Measures) -> str:
    """A line a frame, a column a measure, and the encoder of content and style. Empty where a frame has none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = found.frames()
    writer.writerow(["frame", *columns, "encoder"])
    writer.writerows([t, *values, found.encoder] for t, values in enumerate(zip(*columns.values(), strict=True)))
    return text.getvalue()


def labelled(row: Row) -> str:
    """The method's name, and where it failed."""
    return row.method if row.done == row.asked else f"{row.method} (failed in {row.asked - row.done} of {row.asked})"
