"""`--json`: everything that a command says is an event a line, on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from style_a_video.cli import app
from tests.conftest import moving_picture, write_clip


def events_of(*arguments: object) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-m", "style_a_video.cli", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def test_a_job(tmp_path: Path) -> None:
    clip, output = write_clip(tmp_path / "in.mp4", moving_picture(3, 48, 32)), tmp_path / "out.mp4"
    events, done = events_of("stylize", clip, "a pencil drawing", output, "--size", "32", "--fast")
    assert done.returncode == 0
    assert done.stderr == ""
    progress = [(event["done"], event["total"]) for event in events if event["event"] == "progress"]
    assert progress[-1] == (3, 3)
    assert sorted(progress) == progress
    (wrote,) = (event for event in events if event["event"] == "wrote")
    assert (Path(wrote["path"]), wrote["frames"]) == (output, 3)


def test_a_fault(tmp_path: Path) -> None:
    (event,), done = events_of("stylize", tmp_path / "none.mp4", "a sketch", tmp_path / "out.mp4")
    assert (event["event"], event["code"], done.returncode) == ("error", 2, 2)
    assert "does not exist" in event["message"]


@pytest.mark.parametrize("arguments", [["doctor"], ["styles"], ["styles", "a wet watercolour"]])
def test_what_is_asked_for(arguments: list[str]) -> None:
    events, done = events_of(*arguments)
    assert done.returncode == 0
    assert events


def test_every_command_has_it() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert "JsonEvents" in str(command.callback.__annotations__.get("json")), command.callback.__name__
