"""Plots of a report, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from .tables import Row, heading, labelled

RESOLUTION = 110


def scatter(rows: Sequence[Row]) -> bytes:
    """Style against warp error, one labelled point a method: better is up and to the left."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for row in rows:
        if {"style", "warp_error"} <= set(row.entries):
            x, y = row.entries["warp_error"].mean, row.entries["style"].mean
            axes.plot(x, y, "o")
            axes.annotate(labelled(row), (x, y), textcoords="offset points", xytext=(6, 4), fontsize=8)
    axes.set(xlabel="E_warp: flicker, lower is steadier", ylabel="style score, higher is nearer to the prompt")
    axes.margins(x=0.25)
    return _png(figure)


def bars(rows: Sequence[Row], measures: Sequence[str] = ("style", "content", "warp_error", "sharpness")) -> bytes:
    """One panel a measure, one bar a row, with the confidence interval over clips."""
    height = 1.0 + 0.28 * len(rows)
    figure, panels = plt.subplots(
        1, len(measures), figsize=(3.1 * len(measures), height), sharey=True, layout="constrained"
    )
    for axes, name in zip(panels, measures, strict=True):
        there = [(k, row.entries[name]) for k, row in enumerate(rows) if name in row.entries]
        places, entries = [k for k, _ in there], [entry for _, entry in there]
        axes.barh(places, [entry.mean for entry in entries], color="#4477aa")
        known = [(place, entry) for place, entry in there if entry.half_width is not None]
        axes.errorbar(
            [entry.mean for _, entry in known],
            [place for place, _ in known],
            xerr=[entry.half_width for _, entry in known],
            fmt="none",
            ecolor="#222222",
            capsize=2,
            linewidth=0.8,
        )
        axes.set(title=heading(name))
    panels[0].set_yticks(range(len(rows)), [labelled(row) for row in rows], fontsize=8)
    panels[0].invert_yaxis()
    return _png(figure)


def curves(
    rows: Sequence[Row],
    values: Mapping[str, float],
    measures: Sequence[str] = ("style", "content", "edges", "warp_error", "sharpness"),
) -> bytes:
    """One panel a measure over the swept value of every row, with the confidence interval over clips as a band."""
    figure, panels = plt.subplots(1, len(measures), figsize=(2.7 * len(measures), 2.6), layout="constrained")
    for axes, name in zip(panels, measures, strict=True):
        there = [(values[row.method], row.entries[name]) for row in rows if name in row.entries]
        places, means = [value for value, _ in there], [entry.mean for _, entry in there]
        halves = [entry.half_width or 0.0 for _, entry in there]
        low, high = ([mean + sign * half for mean, half in zip(means, halves, strict=True)] for sign in (-1, 1))
        axes.fill_between(places, low, high, color="#4477aa", alpha=0.2, linewidth=0)
        axes.plot(places, means, "o-", color="#4477aa")
        axes.set(title=heading(name))
    return _png(figure)


def _png(figure: plt.Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=RESOLUTION)
    plt.close(figure)
    return buffer.getvalue()
