"""The progress bar: nothing before the first report, and a rate that leaves out what was there before."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from style_a_video.cli import terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(terminal, "console", Console(file=text, force_terminal=True, width=100))
    return text


def test_a_refused_input_shows_no_bar(screen: io.StringIO) -> None:
    with terminal.progress("stylizing"):
        pass
    assert screen.getvalue() == ""


def test_what_an_earlier_run_left_is_not_part_of_the_rate() -> None:
    bar = Progress(get_time=iter([0.0, 0.0, 10.0, 10.0, 10.0, 10.0]).__next__, auto_refresh=False)
    task = bar.add_task("comparing", total=100, completed=60, before=60)
    bar.update(task, completed=80)
    # 20 in 10 seconds: 2 a second; the other 20 take another 10 seconds.
    assert terminal._Rate("cells").render(bar.tasks[task]).plain == "2.00 cells/s, 0:00:10 left"


def test_counts_are_shown_as_they_come(screen: io.StringIO) -> None:
    with terminal.progress("stylizing") as report:
        report(1, 4)
        report(4, 4)
    assert "stylizing" in screen.getvalue()
    assert "4/4" in screen.getvalue()
