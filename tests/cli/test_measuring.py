"""evaluate, compare and ablate from the command line: what they print and write, and one line for bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import tiny_pipeline

Run = Callable[..., tuple[int, str]]
PENCIL = "Make it a pencil drawing."


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pipeline = tiny_pipeline()
    pipeline.register_to_config(sampling_defaults={"size": 32, "num_inference_steps": 1})
    pipeline.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_evaluate(run: Run, clip: Callable[..., Path], model: Path) -> None:
    source = clip("in.mp4", 4, 64, 48)
    code, said = run("evaluate", source, clip("out.mp4", 4, 64, 48), "--prompt", PENCIL, "--model", model)
    assert code == 0
    assert "warp error" in said
    assert "φ of" in said
    assert (source.parent / "out.mp4.evaluation.json").is_file()


def test_compare_and_again(run: Run, clip: Callable[..., Path], model: Path, tmp_path: Path) -> None:
    arguments = (
        "compare",
        clip("in.mp4", 3, 64, 48),
        "--prompt",
        PENCIL,
        "--model",
        model,
        "--folder",
        tmp_path / "report",
        "--frames",
        "3",
        "--method",
        "Style-A-Video",
        "--method",
        "SDEdit",
    )
    for _ in range(2):
        code, said = run(*arguments)
        assert code == 0
        assert "look at" in said
    for name in ("report.html", "report.md"):
        assert f"φ of {model}" in " ".join((tmp_path / "report" / name).read_text().split())


@pytest.mark.slow
def test_ablate(run: Run, clip: Callable[..., Path], model: Path, tmp_path: Path) -> None:
    code, said = run(
        "ablate",
        clip("in.mp4", 2, 32, 32),
        "--prompt",
        PENCIL,
        "--model",
        model,
        "--folder",
        tmp_path / "r",
        "--frames",
        "2",
    )
    assert code == 0, said
    assert "independent noise" in (tmp_path / "r" / "report.md").read_text()


BAD: dict[str, tuple[list[str], str]] = {
    "missing output": (["evaluate", "in.mp4", "nothing.mp4", "--prompt", PENCIL], "does not exist"),
    "empty prompt": (["evaluate", "in.mp4", "in.mp4", "--prompt", " "], "prompt is empty"),
    "other length": (["evaluate", "in.mp4", "short.mp4", "--prompt", PENCIL], "has 2 frames"),
    "missing clip": (["compare", "nothing.mp4", "--prompt", PENCIL], "does not exist"),
    "bad outputs": (["compare", "in.mp4", "--prompt", PENCIL, "--outputs", "theirs"], "give NAME=DIR"),
    "outputs named twice": (
        ["compare", "in.mp4", "--prompt", PENCIL, "--outputs", "A=.", "--outputs", "A=.."],
        "one name twice",
    ),
    "unknown method": (["compare", "in.mp4", "--prompt", PENCIL, "--method", "Gen-1"], "choose from 'Style-A-Video'"),
    "one frame": (["ablate", "in.mp4", "--prompt", PENCIL, "--frames", "1"], "--frames"),
    "unknown judge": (["ablate", "in.mp4", "--prompt", PENCIL, "--judge", "./nothing"], "there is no such folder"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_one_line(run: Run, clip: Callable[..., Path], model: Path, tmp_path: Path, kind: str) -> None:
    clip("in.mp4", 3, 64, 48)
    clip("short.mp4", 2, 64, 48)
    arguments, message = BAD[kind]
    given = [str(tmp_path / word) if word.endswith(".mp4") else word for word in arguments]
    before = sorted(tmp_path.iterdir())
    extra = [] if arguments[0] == "evaluate" else ["--folder", str(tmp_path / "report")]
    code, said = run(*given, "--model", model, *extra)
    assert code == 2
    assert message in said
    assert said.count("error:") == 1
    assert "Traceback" not in said
    # Before it only what saving the test's model says.
    assert len([line for line in said.split("\n") if line.strip() and "model shards" not in line]) == 1
    assert sorted(tmp_path.iterdir()) == before
