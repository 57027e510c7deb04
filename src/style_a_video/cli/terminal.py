"""Where messages go, and a progress bar with rate and time left."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

console = Console(stderr=True, highlight=False)


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
