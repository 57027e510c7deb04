"""The commands that measure: style-a-video evaluate | compare | ablate."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from .console import console, progress
from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .evaluation.cells import Cell

Clips = Annotated[list[Path], typer.Argument(help="Videos, GIFs or folders of images.")]
Prompts = Annotated[list[str], typer.Option("--prompt", help="A style; give it again for more.")]
Frames = Annotated[int, typer.Option(help="Of every clip, from its beginning.")]
Model = Annotated[str, typer.Option(help="'bundled', a diffusers folder, or a hub id.")]
Judge = Annotated[
    str | None,
    typer.Option("--clip", help="CLIP that measures content and style: a hub id or a folder.", show_default="the model's φ"),
]  # fmt: skip


def evaluate(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The video that was stylized.")],
    output: Annotated[Path, typer.Argument(help="What was made of it.")],
    prompt: Annotated[str, typer.Option(help="The sentence that it was made for.")],
    model: Model = "bundled",
    clip: Judge = None,
) -> None:
    """Measure an output: flicker (E_warp, temporal loss), content, style, sharpness; a table, JSON and heat maps."""
    studies = _studies()
    with progress("measuring") as report:
        found, written = studies.evaluate(source, output, prompt, model, clip, report)
    table = Table(
        "measure",
        "mean over frames",
        caption=f"at {found.size[0]}x{found.size[1]}, content and style by {found.encoder}",
    )
    for name, value in studies.summary(found):
        table.add_row(name, value)
    Console().print(table)
    for path in written:
        console.print(f"[bold green]wrote[/] {path}", soft_wrap=True)


def compare(
    clips: Clips,
    prompt: Prompts,
    folder: Annotated[Path, typer.Option(help="Report and kept results.")] = Path("out/compare"),
    frames: Frames = 16,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=DIR: another system by its videos, DIR/CLIP-PROMPT.mp4, e.g. wolf-make-it-a-pencil-drawing.mp4."
        ),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Only this built-in method; give it again for more.", show_default="all")
    ] = None,
    model: Model = "bundled",
    clip: Judge = None,
) -> None:
    """Methods side by side on the same clips and prompts: a page with players, tables as Markdown and CSV. Stop it and run it
    again: it goes on."""
    studies = _studies()
    named = [_named_folder(entry) for entry in outputs or []]
    others = dict(named)
    if len(others) < len(named):
        raise InputError("--outputs gives one name twice: give every system its own")
    with progress("comparing", "cells") as report:
        study = studies.prepare(clips, prompt, folder, frames, model, clip)
        page, cells = studies.compare(study, others, method or [], report)
    _finished(page, cells)


def ablate(
    clips: Clips,
    prompt: Prompts,
    folder: Annotated[Path, typer.Option(help="Report and kept results.")] = Path("out/ablate"),
    frames: Frames = 12,
    model: Model = "bundled",
    clip: Judge = None,
) -> None:
    """What each part of the method buys: every scale swept, every part on and off, all else fixed. Stop it and run it again: it
    goes on."""
    studies = _studies()
    with progress("ablating", "cells") as report:
        study = studies.prepare(clips, prompt, folder, frames, model, clip)
        page, cells = studies.ablate(study, report)
    _finished(page, cells)


def _studies() -> ModuleType:
    try:
        from .evaluation import studies
    except ImportError as error:
        raise InputError(f"measuring needs {error.name}: pip install -e '.[eval]' in the project's folder") from error
    return studies


def _named_folder(entry: str) -> tuple[str, Path]:
    name, equals, folder = entry.partition("=")
    if not (name and equals and folder):
        raise InputError(f"--outputs {entry}: give NAME=DIR")
    return name, Path(folder)


def _finished(page: Path, cells: Sequence[Cell]) -> None:
    failed = [cell.error for cell in cells if cell.error]
    if len(failed) == len(cells):
        raise InputError(f"nothing could be made or measured ({failed[0]}): {page} has all reasons")
    if failed:
        console.print(f"[bold yellow]note:[/] {len(failed)} cells failed; the report says why")
    console.print(f"[bold green]look at[/] {page}")
