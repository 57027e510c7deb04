"""style-a-video evaluate: measure one output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..errors import InputError
from ..video import VideoReader
from .options import DEFAULTS, Judge, Model, load_studies
from .terminal import JsonEvents, progress, show, tell


def evaluate(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The video that was stylized.", exists=True)],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="What was made of it.", exists=True)],
    prompt: Annotated[str, typer.Option(help="The sentence that it was made for.")],
    model: Model = DEFAULTS.model,
    judge: Judge = None,
    json: JsonEvents = False,
) -> None:
    """Measure an output: flicker, content, style, sharpness. A table, JSON, CSV and heat maps."""
    if not prompt.strip():
        raise InputError("the prompt is empty: give the sentence that the output was made for")
    for video in (source, output):
        VideoReader(video)
    studies = load_studies(model, judge)
    with progress("measuring") as report:
        measures, written = studies.evaluate(source, output, prompt, model, judge, report)
    size = "x".join(map(str, measures.size))
    caption = f"at {size}, content and style by {measures.encoder}"
    table = Table("measure", "mean over frames", caption=caption)
    summary = list(studies.summary(measures))
    for name, value in summary:
        table.add_row(name, value)
    show(table, "measures", **dict(summary))
    for path in written:
        tell(f"[bold green]wrote[/] {path}", "wrote", path=path)
