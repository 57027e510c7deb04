"""Files that are whole or not there, whoever else writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video.evaluation.files import whole, write_whole


def test_a_stop_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", "old")

    def stopped(stop: type[BaseException]) -> None:
        with whole(tmp_path / "a.json") as partial:
            partial.write_text("ne")
            raise stop

    for stop in (KeyboardInterrupt, ValueError):
        with pytest.raises(stop):
            stopped(stop)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_two_may_write_the_same(tmp_path: Path) -> None:
    with whole(tmp_path / "a.json") as first, whole(tmp_path / "a.json") as second:
        first.write_text("first")
        second.write_text("second")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "first"}


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(sav.InputError, match="cannot write"):
        write_whole(tmp_path / "nowhere" / "a.json", "new")
