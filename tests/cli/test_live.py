"""style-a-video live, on files that stand for cameras."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import pytest

Run = Callable[..., tuple[int, str]]
ONCE = ("--no-browser", "--size", "48")


def test_a_file_is_shown_and_recorded(run: Run, clip: Callable[..., Path], tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    code, said = run("live", "a pencil drawing", "--source", clip(count=12), "--record", output, "--json", *ONCE)
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert code == 0
    assert {"live", "wrote"} <= {event["event"] for event in events}
    with av.open(str(output)) as container:
        frames = list(container.decode(video=0))
    assert 1 <= len(frames) <= 12
    assert (frames[0].width, frames[0].height) == (64, 48)


class Camera:
    """In place of pyvirtualcam's, with the part of its interface that is used."""

    sent: list[Any] = []  # noqa: RUF012

    def __init__(self, width: int, height: int, fps: float) -> None:
        self.size = (height, width, 3)

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, frame: Any) -> None:
        assert frame.shape == self.size
        self.sent.append(frame)


def test_a_virtual_camera_gets_every_frame(
    run: Run, clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("pyvirtualcam")
    module.Camera = Camera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    monkeypatch.setattr(sys.modules["style_a_video.cli.live"], "require_extra", lambda *_: None)
    assert run("live", "a pencil drawing", "--source", clip(count=6), "--virtual-camera", *ONCE)[0] == 0
    assert Camera.sent


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--source", "missing.mp4"), "does not exist"),
        (("--source", "7"), "camera 7 cannot be opened"),
        (("--source", "missing.mp4", "--sound", "default"), "--record"),
        (("--source", "missing.mp4", "--strength", "2"), "strength"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, arguments: tuple[str, ...], why: str) -> None:
    code, said = run("live", "a pencil drawing", *arguments, *ONCE)
    assert code == 2
    assert why in said
    assert "Traceback" not in said
