"""The command line: one case for every kind of bad input, and the commands on the tiny model."""

from __future__ import annotations

import functools
import inspect
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

import style_a_video as sav
from style_a_video import demo
from style_a_video.cli.stylize import stylize
from style_a_video.schedulers import SCHEDULERS
from style_a_video.settings import Settings
from style_a_video.styles import STYLES
from tests.conftest import moving_picture, write_clip
from tests.video import test_reader as broken


def _good(folder: Path) -> Path:
    return write_clip(folder / "in.mp4", moving_picture(3, 48, 32))


def _touched(path: Path) -> Path:
    path.touch()
    return path


Arrange = Callable[[Path], list[object]]
BAD: dict[str, tuple[Arrange, str]] = {
    "missing file": (lambda d: [broken._missing(d), "a sketch", d / "o.mp4"], "does not exist"),
    "empty folder": (lambda d: [broken._empty_folder(d), "a sketch", d / "o.mp4"], "no images"),
    "empty file": (lambda d: [broken._empty_file(d), "a sketch", d / "o.mp4"], "0 bytes"),
    "text renamed": (lambda d: [broken._text(d), "a sketch", d / "o.mp4"], "not a video"),
    "audio only": (lambda d: [broken._audio_only(d), "a sketch", d / "o.mp4"], "no video in it"),
    "one pixel": (lambda d: [broken._one_pixel(d), "a sketch", d / "o.mp4"], "1x1"),
    "unwritable output": (lambda d: [_good(d), "a sketch", _touched(d / "file") / "o.mp4"], "cannot write in"),
    "unknown suffix": (lambda d: [_good(d), "a sketch", d / "o.docx"], "cannot write .docx"),
    "existing output": (lambda d: [_good(d), "a sketch", _touched(d / "o.mp4")], "--overwrite"),
    "empty prompt": (lambda d: [_good(d), " ", d / "o.mp4"], "prompt is empty"),
    "unknown model": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--model", "./nothing"], "give 'bundled'"),
    "non-finite scale": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--guidance-scale", "nan"], "finite"),
    "non-finite weight": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--content-weight", "inf"], "finite"),
    "no steps": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--steps", "0"], "1 or more"),
    "unknown guidance": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--guidance", "some"], "'independent', 'joint'"),
    "not a number": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--seed", "x"], "--seed"),
    "unknown option": (lambda d: [_good(d), "a sketch", d / "o.mp4", "--colour", "x"], "--colour"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(run: Callable[..., tuple[int, str]], tmp_path: Path, case: str) -> None:
    arrange, message = BAD[case]
    arguments = arrange(tmp_path)
    before = set(tmp_path.rglob("*"))
    code, printed = run("stylize", *arguments)
    assert code == 2
    assert message in " ".join(printed.split())
    assert "Traceback" not in printed
    assert set(tmp_path.rglob("*")) == before
    errors = [line for line in printed.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert len(printed.splitlines()) == 1  # no bar, no table, no hint of a library before it


def test_stylize(run: Callable[..., tuple[int, str]], tmp_path: Path, tiny_folder: Path) -> None:
    code, printed = run(
        "stylize",
        _good(tmp_path),
        "a sketch",
        tmp_path / "o.mp4",
        "--model",
        tiny_folder,
        "--size",
        "32",
        "--steps",
        "1",
    )
    assert code == 0, printed
    assert (tmp_path / "o.mp4").stat().st_size > 0
    assert (tmp_path / "o.mp4.json").is_file()
    assert "48x32" in printed


def test_prompt_without_a_style_is_told(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, printed = run(
        "stylize", _good(tmp_path), "Make it flurb.", tmp_path / "o.mp4", "--preview", "--size", "64", "--steps", "1"
    )
    assert code == 0, printed
    assert "far from every style" in " ".join(printed.split())
    assert "style-a-video styles" in " ".join(printed.split())
    assert "larger:" not in printed


def test_a_result_smaller_than_its_source_says_how_to_get_a_larger_one(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    source = write_clip(tmp_path / "large.mp4", moving_picture(3, 96, 64))
    code, printed = run("stylize", source, "a mosaic", tmp_path / "o.png", "--preview", "--size", "32", "--steps", "1")
    assert code == 0, printed
    assert "larger: --output-size source" in printed


def test_the_command_lines_defaults_are_the_librarys() -> None:
    names = {"steps": "num_inference_steps", "start": "start_s", "end": "end_s"}
    options = inspect.signature(stylize).parameters
    found = {names.get(name, name): option.default for name, option in options.items()}
    defaults = {name: value for name, value in Settings() if name != "keyframes"}
    assert {name: found[name] for name in defaults} == defaults


def test_doctor(run: Callable[..., tuple[int, str]]) -> None:
    code, printed = run("doctor")
    assert code == 0
    for word in ("python", "torch", "memory", "bundled model"):
        assert word in printed


def test_train_refuses_what_it_cannot(run: Callable[..., tuple[int, str]]) -> None:
    assert run("train", "everything")[0] == 2
    assert run("train", "bundled", "--scale", "nan")[0] == 2
    assert run("train", "bundled", "--start", "./nowhere")[0] == 2
    for refused in (("--workers", "0"), ("--seed", "-1"), ("--device", "abacus"), ("--form", "paper")):
        code, said = run("train", "bundled", "--work", "./nothing", *refused)
        assert code == 2, said
        assert refused[0] in said or refused[1] in said
    for entry in ("unet_steps", "contents=0", "stapes=3", "unet_steps=many"):
        code, said = run("train", "bundled", "--budget", entry)
        assert code == 2
        assert "NAME=COUNT" in said


def test_styles_and_demo_refuse_what_they_cannot(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    for arguments in (
        ("styles", "--sheet", tmp_path / "sheet.txt"),
        ("styles", "--image", tmp_path / "missing.png"),
        ("styles", "--image", _good(tmp_path)),
        ("demo", _touched(tmp_path / "file")),
    ):
        code, printed = run(*arguments)
        assert code == 2
        assert printed.startswith("error:")
        assert len(printed.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to a process")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_stop_the_process_cleanly(tmp_path: Path, tiny_folder: Path, name: str) -> None:
    number = getattr(signal, name)
    source = write_clip(tmp_path / "in.mp4", moving_picture(1500, 64, 48))
    before = set(tmp_path.iterdir())
    command = [
        "-m",
        "style_a_video.cli",
        "stylize",
        source,
        "a sketch",
        tmp_path / "o.mp4",
        "--model",
        tiny_folder,
        "--steps",
        "1",
        "--size",
        "64",
    ]
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT and hands that down; a person's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".o.mp4.job/*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    try:
        _, printed = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number, printed
    assert "stopped" in printed
    assert "Traceback" not in printed
    # What is finished by then is kept, and said to be.
    left = set(tmp_path.iterdir()) - before
    assert left <= {tmp_path / ".o.mp4.job"}
    assert bool(left) == ("frames are kept" in printed)


@pytest.mark.slow
def test_styles_are_listed_and_drawn(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    PIL.Image.new("RGB", (48, 48), "teal").save(tmp_path / "in.png")
    code, printed = run("styles", "--sheet", tmp_path / "new" / "sheet.png", "--image", tmp_path / "in.png")
    assert code == 0, printed
    assert all(style.prompt.split()[-1] in " ".join(printed.split()) for style in STYLES)
    assert PIL.Image.open(tmp_path / "new" / "sheet.png").size[1] > 5 * 224


@pytest.mark.slow
def test_the_demo_leaves_three_videos_and_a_sheet(
    run: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "demo_clip", functools.partial(demo.demo_clip, frames=4, width=96, height=64))
    code, printed = run("demo", tmp_path / "demo")
    assert code == 0, printed
    made = {path.name for path in (tmp_path / "demo").iterdir() if path.suffix != ".json"}
    names = {f"demo-{name.replace(' ', '-')}.mp4" for name in (*demo.DEMO_STYLES, "input")}
    assert made == names | {"demo-sheet.png"}


MISTAKES = (
    ("stylize", "nothing.mp4", "a sketch", "o.mp4"),
    ("stylize", "in.png", "a sketch", "o.png", "--model", "./nothing"),
    ("stylize", "in.png", "a sketch", "o.png", "--flow", "guess"),
    ("evaluate", "in.png", "in.png", "--prompt", "a sketch", "--model", "./nothing"),
    ("compare", "in.png", "--prompt", "a sketch", "--method", "Gen-1"),
    ("compare", "in.png", "--prompt", "a sketch", "--judge", "./nothing"),
    ("ablate", "in.png", "--prompt", " "),
    ("train", "bundled", "--budget", "stapes=3"),
    ("train", "bundled", "--device", "abacus"),
    ("styles", "--image", "text.png", "--sheet", "sheet.png"),
    ("demo", "in.png"),
)


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_before_torch_is_imported(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """So it takes a second, not ten."""
    PIL.Image.new("RGB", (48, 48)).save(tmp_path / "in.png")
    (tmp_path / "text.png").write_text("no picture")
    program = (
        "import sys, atexit; from style_a_video import cli; "
        "atexit.register(lambda: print('torch' in sys.modules)); cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (2, "False"), done.stderr
    assert done.stderr.startswith("error: ")


def test_the_version_and_help_for_who_says_nothing(run: Callable[..., tuple[int, str]]) -> None:
    assert run("--version") == (0, f"{sav.__version__}\n")
    code, said = run()
    assert code == 2
    assert "Usage" in said
    assert "error" not in said


def test_option_names_are_whole_on_a_narrow_screen(
    run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = run("stylize", "--help")[1]
    assert "--image-guidance-scale" in said
    assert all(name in " ".join(said.split()) for name in SCHEDULERS)


def test_a_mistake_names_the_option(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, said = run("stylize", _good(tmp_path), "a sketch", tmp_path / "o.mp4", "--steps", "0")
    assert (code, said) == (2, "error: --steps is 0: give 1 or more\n")
