"""style-a-video ablate: what each part of the method buys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .compare import check_study, finish
from .options import DEFAULTS, Clips, Judge, Model, Prompts, load_studies
from .terminal import JsonEvents, progress


def ablate(
    clips: Clips,
    prompt: Prompts,
    folder: Annotated[Path, typer.Option(help="Report and kept results.", file_okay=False)] = Path("out/ablate"),
    frames: Annotated[int, typer.Option(help="Of every clip, from its beginning.", min=2)] = 12,
    model: Model = DEFAULTS.model,
    judge: Judge = None,
    json: JsonEvents = False,
) -> None:
    """What each part of the method buys: every scale swept, the parts on and off, all else fixed.

    Stop it and run it again: it goes on where it was.
    """
    check_study(clips, prompt, folder)
    studies = load_studies(model, judge)
    with progress("ablating", "cells") as report:
        study = studies.prepare(clips, prompt, folder, frames, model, judge)
        page, cells = studies.ablate(study, report)
    finish(page, cells)
