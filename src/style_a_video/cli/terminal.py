"""What a command says: words and a progress bar to people, or events to programs."""

from __future__ import annotations

import datetime
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import PIL.Image
import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from ..video import VideoReader

WIDEST = 80
"""Columns, of a picture."""
FARTHEST = 250
"""Number of a frame that is drawn at most: those before it are decoded, too."""
console = Console(stderr=True, highlight=False)
"""For notes, progress and what was written; tables go to standard output."""


def _speak_json(asked: bool) -> None:
    console.quiet = asked


JsonEvents = Annotated[
    bool,
    typer.Option("--json", callback=_speak_json, is_eager=True, help="Say everything as JSON, an event a line."),
]
"""The option of every command for who builds on it; its callback is all that reads it."""


def tell(text: RenderableType, event: str, **fields: Any) -> None:
    """A note, a fault or a result: `text` to people, or `event` with its fields to programs."""
    if console.quiet:
        typer.echo(json.dumps({"event": event, **fields}, ensure_ascii=False, default=str))
    else:
        console.print(text, soft_wrap=True)


def show(table: Table, event: str, **fields: Any) -> None:
    """As `tell`, of a table that was asked for."""
    if console.quiet:
        tell(table, event, **fields)
    else:
        Console().print(table)


def draw(path: Path) -> None:
    """A frame of a file, as well as the terminal can: in pixels, or else in half blocks."""
    if console.quiet:
        return
    reader = VideoReader(path)
    middle = min(reader.info.frame_count // 2, FARTHEST)
    frame = deque(islice(reader.frames(), middle + 1), maxlen=1).pop()
    image: Any = import_module("textual_image.renderable").Image
    console.print(image(PIL.Image.fromarray(frame.pixels), width=min(WIDEST, console.width)))


class _Rate(ProgressColumn):
    """What is counted a second, and the time left. What an earlier run left is not counted."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        done = task.completed - task.fields["before"]
        if not done or not task.elapsed or task.total is None:
            return Text("")
        rate = done / task.elapsed
        left = datetime.timedelta(seconds=round((task.total - task.completed) / rate))
        return Text(f"{rate:.2f} {self.unit}/s, {left} left", style="cyan")


@contextmanager
def progress(label: str, unit: str = "frames") -> Iterator[Callable[[int, int], None]]:
    """A bar that appears with the first report of (frames done, frames in all): a refused input shows none."""
    if console.quiet:
        yield lambda done, total: tell("", "progress", what=label, unit=unit, done=done, total=total)
        return
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(unit), console=console)
    task = bar.add_task(label, total=None, before=0)

    def report(done: int, total: int) -> None:
        if not bar.live.is_started:
            bar.start()
            bar.reset(task, total=total, completed=done, before=done)
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
