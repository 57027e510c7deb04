"""A result in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str]]


def test_the_middle_frame_is_drawn(run: Run, clip: Callable[..., Path], tmp_path: Path) -> None:
    code, said = run("stylize", clip(count=3), "a pencil drawing", tmp_path / "out.mp4", "--size", "32", "--show")
    assert code == 0
    assert sum(said.count(block) for block in "\u2580\u2584\u2588\u2591\u2592\u2593") > 100


def test_programs_get_no_picture(run: Run, clip: Callable[..., Path], tmp_path: Path) -> None:
    code, said = run(
        "stylize", clip(count=3), "a pencil drawing", tmp_path / "out.mp4", "--size", "32", "--show", "--json"
    )
    assert code == 0
    assert all(line.startswith("{") for line in said.splitlines() if line)


def test_without_the_package_it_is_told_at_once(
    run: Run, clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("style_a_video.dependencies.find_spec", lambda name: None)
    code, said = run("stylize", clip(count=3), "a pencil drawing", tmp_path / "out.mp4", "--show")
    assert code == 2
    assert ".[show]" in said
    assert not (tmp_path / "out.mp4").exists()
