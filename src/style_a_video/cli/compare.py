"""style-a-video compare: methods side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..atomic import check_writable
from ..errors import InputError
from ..video import VideoReader
from .options import DEFAULTS, Clips, Judge, Model, Prompts, load_studies
from .terminal import JsonEvents, progress, tell

METHODS = (
    "Style-A-Video",
    "InstructPix2Pix",
    "InstructPix2Pix + refiner",
    "Video-InstructPix2Pix",
    "Video-InstructPix2Pix + refiner",
    "SDEdit",
    "SDEdit + refiner",
    "renderer, frame by frame",
    "renderer, frame by frame + refiner",
    "statistics transfer (AdaIN)",
    "statistics transfer (AdaIN) + refiner",
    "Gatys et al.",
    "Gatys et al. + refiner",
)
"""Names of `studies.built_in_methods`, which takes seconds to import."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..evaluation.cache import Cell


def compare(
    clips: Clips,
    prompt: Prompts,
    folder: Annotated[Path, typer.Option(help="Report and kept results.", file_okay=False)] = Path("out/compare"),
    frames: Annotated[int, typer.Option(help="Of every clip, from its beginning.", min=2)] = 16,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=DIR: another system by its videos, DIR/CLIP-PROMPT.mp4, e.g. wolf-make-it-a-pencil-drawing.mp4."
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Only this built-in method; give it again for more.", show_default="all"),
    ] = None,
    model: Model = DEFAULTS.model,
    judge: Judge = None,
    json: JsonEvents = False,
) -> None:
    """Methods side by side on the same clips and prompts: a page with players, tables as Markdown and CSV.

    Stop it and run it again: it goes on where it was.
    """
    check_study(clips, prompt, folder)
    if unknown := sorted(set(method or []) - set(METHODS)):
        raise InputError(f"there is no method {unknown[0]!r}: choose from {', '.join(map(repr, METHODS))}")
    systems = [_named_folder(entry) for entry in outputs or []]
    if len(dict(systems)) < len(systems):
        raise InputError("--outputs gives one name twice: give every system its own")
    studies = load_studies(model, judge)
    with progress("comparing", "cells") as report:
        study = studies.prepare(clips, prompt, folder, frames, model, judge)
        page, cells = studies.compare(study, dict(systems), method or [], report)
    finish(page, cells)


def check_study(clips: Sequence[Path], prompts: Sequence[str], folder: Path) -> None:
    """Raise InputError where the folder cannot be written, a prompt is empty or a clip cannot be read."""
    check_writable(folder)
    if any(not prompt.strip() for prompt in prompts):
        raise InputError("a prompt is empty: give one sentence with each --prompt")
    for clip in clips:
        VideoReader(clip)


def finish(page: Path, cells: Sequence[Cell]) -> None:
    """Say where the report is, and what failed. Raises InputError where everything did."""
    failed = [cell.error for cell in cells if cell.error]
    if len(failed) == len(cells):
        raise InputError(f"nothing could be made or measured ({failed[0]}): {page} has all reasons")
    if failed:
        note = f"{len(failed)} cells failed; the report says why"
        tell(f"[bold yellow]note:[/] {note}", "note", message=note)
    tell(f"[bold green]look at[/] {page}", "wrote", path=page)


def _named_folder(entry: str) -> tuple[str, Path]:
    name, _, folder = entry.partition("=")
    if not (name and folder):
        raise InputError(f"--outputs {entry}: give NAME=DIR")
    if not Path(folder).is_dir():
        raise InputError(f"--outputs {entry}: there is no such folder")
    return name, Path(folder)
