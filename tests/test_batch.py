"""Many files: what inputs stand for, that one failure stops nothing, and that a second run keeps what is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from style_a_video import models
from style_a_video.batch import Row, rows_of, run_batch
from style_a_video.errors import InputError

OUT = Path("out")


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        (folder / name).touch()


def names(rows: list[Row]) -> list[str]:
    return [row.output.name for row in rows]


def test_folders_and_patterns(tmp_path: Path) -> None:
    touch(tmp_path / "clips", "b.mp4", "a.mov", "notes.txt", ".hidden.mp4")
    touch(tmp_path / "frames", "0.png", "1.png")
    assert names(rows_of([str(tmp_path / "clips")], ["a sketch"], OUT, {})) == ["a.mp4", "b.mp4"]
    assert names(rows_of([str(tmp_path / "clips" / "*.m*")], ["a sketch"], OUT, {})) == ["a.mp4", "b.mp4"]
    assert names(rows_of([str(tmp_path / "frames")], ["a sketch"], OUT, {})) == ["frames.mp4"]
    assert names(rows_of([str(tmp_path / "frames" / "*.png")], ["a sketch"], OUT, {})) == ["0.png", "1.png"]


def test_every_prompt_of_every_video_has_a_name_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "a", "clip.mp4")
    touch(tmp_path / "b", "clip.mp4")
    rows = rows_of([str(tmp_path / "a"), str(tmp_path / "b")], ["A sketch!", "水墨画"], OUT, {"seed": 4})
    assert names(rows) == ["clip-a-sketch.mp4", "clip-水墨画.mp4", "clip-a-sketch-2.mp4", "clip-水墨画-2.mp4"]
    assert all(row.settings == {"seed": 4} for row in rows)
    touch(tmp_path / "c", "clip-2.mp4", "CLIP.mp4")
    folders = [str(tmp_path / name) for name in "abc"]
    outputs = names(rows_of(folders, ["a sketch"], OUT, {}))
    assert len({name.casefold() for name in outputs}) == 4


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text(
        "video,prompt,output,seed,fast\nx.mp4,a sketch,one.mkv,3,true\nsub/y.mp4,,,,\n", encoding="utf-8-sig"
    )
    (tmp_path / "jobs.jsonl").write_text('{"video": "z.mp4", "prompt": "neon", "size": 128}\n\n')
    rows = rows_of([str(tmp_path / "jobs.csv"), str(tmp_path / "jobs.jsonl")], ["a fresco"], OUT, {"seed": 1})
    assert names(rows) == ["one.mkv", "y.mp4", "z.mp4"]
    assert [row.prompt for row in rows] == ["a sketch", "a fresco", "neon"]
    assert [row.settings for row in rows] == [{"seed": 3, "fast": True}, {"seed": 1}, {"seed": 1, "size": 128}]
    assert [row.video for row in rows] == [tmp_path / "x.mp4", tmp_path / "sub" / "y.mp4", tmp_path / "z.mp4"]


@pytest.mark.parametrize(
    ("inputs", "prompts", "message"),
    [
        (["nothing/*.mp4"], ["a sketch"], "matches no file"),
        (["a.mp4"], [], "no style"),
        ([], ["a sketch"], "nothing to do"),
        (["bad.csv"], ["a sketch"], "no `video`"),
        (["bad.jsonl"], ["a sketch"], "cannot read the table"),
        (["missing.csv"], ["a sketch"], "cannot read the table"),
        (["both"], ["a sketch"], "videos and images"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], prompts: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text("prompt\na sketch\n")
    Path("bad.jsonl").write_text("{oops\n")
    touch(Path("both"), "a.mp4", "b.png")
    with pytest.raises(InputError, match=message):
        rows_of(inputs, prompts, OUT, {})


def test_nine_of_twelve(
    clip: Callable[..., Path],
    tmp_path: Path,
    tiny_folder: Path,
    run: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three of twelve files are bad: nine are made with one model load, and a second run keeps them."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for k in range(9):
        clip(f"clips/{k}.mp4", count=2)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no film " * 100)
    PIL.Image.new("RGB", (2, 2)).save(folder / "dot.gif")
    loads: list[object] = []
    load = models.load_pipeline

    def counted(*given: object) -> object:
        loads.append(given)
        return load(*given)

    monkeypatch.setattr(models, "load_pipeline", counted)
    out = tmp_path / "out"
    command = ("batch", folder, "--prompt", "a sketch", "--out", out, "--model", tiny_folder, "--size", "32")
    code, printed = run(*command)
    assert code == 1
    assert len(loads) == 1
    outcomes = json.loads((out / "batch.json").read_text())
    assert [outcome["status"] for outcome in outcomes] == ["made"] * 9 + ["failed"] * 3
    assert "9 of 12" in printed
    assert "Traceback" not in printed
    made = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    assert set(made) == {f"{k}.mp4" for k in range(9)}
    code, printed = run(*command)
    assert code == 1
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")} == made
    assert [outcome["status"] for outcome in json.loads((out / "batch.json").read_text())].count("kept") == 9


def test_a_row_made_in_another_way_is_told(clip: Callable[..., Path], tmp_path: Path, tiny_folder: Path) -> None:
    source = clip(count=2)
    usual = {"model": str(tiny_folder), "size": 32}
    first = run_batch(rows_of([str(source)], ["a sketch"], tmp_path / "out", usual))
    other = run_batch(rows_of([str(source)], ["a sketch"], tmp_path / "out", usual | {"seed": 9}))
    assert [first[0].status, other[0].status] == ["made", "failed"], first
    assert "exists already" in other[0].error
    assert run_batch(rows_of([str(source)], ["a sketch"], tmp_path / "out", usual))[0].status == "kept"
    clip(count=3)  # another clip of the same name
    assert run_batch(rows_of([str(source)], ["a sketch"], tmp_path / "out", usual))[0].status == "failed"


def test_a_column_that_is_no_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("video,prompt,outputt\na.mp4,a comic,\n")
    with pytest.raises(InputError, match="has a column 'outputt'"):
        rows_of([str(tmp_path / "jobs.csv")], [], tmp_path, {})
