"""Files and folders appear whole or not at all, whoever else writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video.atomic import atomic_path, write_atomically


def test_a_stop_leaves_what_was_there(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.json", "old")

    def stopped(stop: type[BaseException]) -> None:
        with atomic_path(tmp_path / "a.json") as partial:
            partial.write_text("ne")
            raise stop

    for stop in (KeyboardInterrupt, ValueError):
        with pytest.raises(stop):
            stopped(stop)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_two_may_write_the_same(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.json") as first, atomic_path(tmp_path / "a.json") as second:
        first.write_text("first")
        second.write_text("second")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "first"}


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(sav.InputError, match="cannot write"):
        write_atomically(tmp_path / "file" / "a.json", "new")


def test_a_folder_replaces_a_folder_when_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "old.png").touch()

    def stopped() -> None:
        with atomic_path(tmp_path / "frames") as partial:
            partial.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["old.png"]
    with atomic_path(tmp_path / "frames") as partial:
        partial.mkdir()
        (partial / "new.png").touch()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["new.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_a_file_does_not_take_a_folders_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    (tmp_path / "a.json" / "mine.txt").touch()
    with pytest.raises(sav.InputError, match="cannot write"):
        write_atomically(tmp_path / "a.json", "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.json", "mine.txt"]


def test_a_fault_of_another_file_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.json"):
        (tmp_path / "nothing").read_text()
