"""The report: one HTML file that needs no network, and the same tables as Markdown and CSV."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from ... import __version__
from ...atomic import write_atomically
from ...frames import encode_image
from ...sheets import contact_sheet
from ..cache import Cell
from ..clips import Clip
from ..media import FULL_SCALE, read_frames, time_slice, write_video
from .plots import bars, curves, scatter
from .tables import MEASURES, Row, as_csv, as_markdown, heading, held_fixed, shown, table

SHEET_HEIGHT = 128
READING = (
    "Numbers are means over clips; a clip's number is the mean over its prompts. After ± stands half of the 95 % "
    "confidence interval over clips. Where several methods have all clips, each clip's own offset is taken out. So "
    "the interval tells methods apart; it is no interval of the mean itself. Arrows point to where better is. The best "
    "of a column is bold, the second underlined, in Markdown italic. Rows that failed somewhere are not ranked.",
    "What flatters whom. Flow is DIS on the input, and keyframes and refiner follow the same flow. The bundled φ was "
    "trained on the pictures that the model was trained on, so it is no independent judge of style and content. How "
    "sharp a judge it is stands in the model card. λ raises the content score itself. A blur lowers E_warp: read it "
    "together with sharpness. Evaluations count the UNet's forward passes; an exact optimization also goes backwards. "
    "Seconds depend on the machine and its load.",
    "Measures depend on size and length. Sharpness depends on pixels. E_warp depends on the length of a shot: its "
    "second term is against the shot's first frame, of which less and less can be seen. Here all videos are of one "
    "length. Another system's videos were scaled to the clip's size; one of fewer pixels is blurred, which E_warp and "
    "content forgive. A row that failed somewhere has the means of what remained.",
)
"""How a report is read: in every one, so that it can be passed on alone."""


@dataclass(frozen=True)
class Section:
    """Some methods, compared with one another."""

    title: str
    cells: Sequence[Cell]
    players: bool
    """Whether every clip and prompt gets its videos side by side."""
    swept: Mapping[str, float] = field(default_factory=dict)
    """By method, the value of the setting that is swept. Sweeps are drawn as curves, other sections as bars."""


@dataclass(frozen=True)
class Report:
    """What is told of a comparison or an ablation."""

    title: str
    about: str
    """How it was made: model, encoder, clips, frames."""
    sections: Sequence[Section]
    clips: Sequence[Clip]
    work: Path
    """Where the cells' pictures and videos lie."""


def write_report(report: Report, folder: Path) -> Path:
    """Write `report.html`, `report.md` and `cells.csv` into `folder`; the path of the page.

    Raises InputError when scores of several encoders would meet in one table.
    """
    tables = [table(section.cells) for section in report.sections]
    folder.mkdir(parents=True, exist_ok=True)
    parts = [f"# {report.title}\n", *(f"{text}\n" for text in (report.about, *READING))]
    for section, rows in zip(report.sections, tables, strict=True):
        fixed = held_fixed(section.cells)
        parts.append(f"## {section.title}\n\n{fixed}\n\n{as_markdown(rows)}\n")
    parts.append(_errors_markdown(tables))
    write_atomically(folder / "report.md", "\n".join(part for part in parts if part))
    write_atomically(folder / "cells.csv", as_csv({section.title: section.cells for section in report.sections}))
    write_atomically(folder / "report.html", _page(report, tables))
    return folder / "report.html"


def _page(report: Report, tables: Sequence[Sequence[Row]]) -> str:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(
        (files("style_a_video.evaluation.report") / "report.html.j2").read_text(encoding="utf-8")
    )
    sections = [
        {
            "title": section.title, "fixed": held_fixed(section.cells), "rows": rows,
            "plot": _data("image/png", curves(rows, section.swept) if section.swept else bars(rows)),
            "scatter": _data("image/png", scatter(rows)), "sheet": _sheet(report, section),
            "groups": _players(report, section) if section.players else [],
        }
        for section, rows in zip(report.sections, tables, strict=True)
    ]  # fmt: skip
    return template.render(
        title=report.title,
        paragraphs=(report.about, *READING),
        sections=sections,
        headings={name: heading(name) for name in MEASURES},
        shown=shown,
        full_scale=FULL_SCALE,
        version=__version__,
        date=datetime.date.today().isoformat(),
    )


def _players(report: Report, section: Section) -> list[dict[str, Any]]:
    """For every clip and prompt: the input's and the outputs' videos, and of outputs heat map and time slice."""
    groups = []
    for clip in report.clips:
        path = report.work / f"input-{clip.name}.mp4"
        write_video(path, clip.pixels, clip.rate)
        for prompt in dict.fromkeys(cell.prompt for cell in section.cells):
            own = [cell for cell in section.cells if (cell.clip, cell.prompt) == (clip.name, prompt)]
            shown_cells = [
                {
                    "name": cell.method, "error": cell.error,
                    "video": _data("video/mp4", (report.work / cell.video).read_bytes()) if cell.video else "",
                    "heat_map": _picture(report.work / cell.heat_map) if cell.heat_map else "",
                    "time_slice": _picture(report.work / cell.time_slice) if cell.time_slice else "",
                }
                for cell in own
            ]  # fmt: skip
            source = {
                "name": "input",
                "error": "",
                "video": _data("video/mp4", path.read_bytes()),
                "heat_map": "",
                "time_slice": _jpeg(PIL.Image.fromarray(time_slice(clip.pixels))),
            }
            groups.append({"title": f"{clip.name}: {prompt}", "cells": [source, *shown_cells]})
    return groups


def _sheet(report: Report, section: Section) -> str:
    """The middle frame of every cell. A row is a method; the first row is the input."""
    prompts = list(dict.fromkeys(cell.prompt for cell in section.cells))
    rows: dict[str, list[NDArray[np.uint8]]] = {
        "input": [clip.pixels[len(clip) // 2] for clip in report.clips for _ in prompts]
    }
    clips = {clip.name: clip for clip in report.clips}
    for cell in sorted(section.cells, key=lambda cell: list(clips).index(cell.clip)):
        frames = list(read_frames(report.work / cell.video)) if cell.video else []
        # Grey where there is none: what comes after must stay below its input.
        nothing = np.full_like(clips[cell.clip].pixels[0], 128)
        rows.setdefault(cell.method, []).append(frames[len(frames) // 2] if frames else nothing)
    return _jpeg(contact_sheet(rows, SHEET_HEIGHT))


def _errors_markdown(tables: Sequence[Sequence[Row]]) -> str:
    lines = [f"- {row.method}: {error}" for rows in tables for row in rows for error in row.errors]
    return "## What failed\n\n" + "\n".join(dict.fromkeys(lines)) + "\n" if lines else ""


def _picture(path: Path) -> str:
    return _jpeg(PIL.Image.open(path))


def _jpeg(image: PIL.Image.Image) -> str:
    return _data("image/jpeg", encode_image(image.convert("RGB"), "JPEG", quality=82))


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
