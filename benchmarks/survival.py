"""Does a job survive? Killed, stopped and failed at random moments, is its output the one of an undisturbed run?

    python benchmarks/survival.py [--frames 300] [--kills 20] [--stops 5]

Makes a clip, stylizes it undisturbed, then again with `kill -9`, TERM and HUP at random moments, each time gone on with
by the same command. Prints, by kind, how many outputs are the same bytes, the most frames that one go made again, and
what was left beside the output. Ends with the time that the journal costs.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from style_a_video.journal import PART_FRAMES, folder_of
from style_a_video.video import VideoInfo, open_writer

SIZE = 96


def make_clip(path: Path, frames: int) -> Path:
    """A pattern that moves, with a cut in the middle."""
    rng = np.random.default_rng(0)
    grain = [
        np.kron(rng.integers(40, 220, (16, 64, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(2)
    ]

    info = VideoInfo(path, 160, 128, frames, Fraction(25), Fraction(1, 12800), (), frames / 25)
    with open_writer(path, (160, 128), info) as writer:
        for k in range(frames):
            writer.write(np.roll(grain[k >= frames // 2], -2 * k, axis=1)[:, :160], 512 * k)
    return path


def command(source: Path, output: Path) -> list[str]:
    return [sys.executable, "-m", "style_a_video.cli", "stylize", str(source), "a pencil drawing", str(output),
            "--size", str(SIZE)]  # fmt: skip


def finished(output: Path) -> int:
    """Frames in the journal."""
    path = folder_of(output) / "journal.json"
    return sum(len(part["pts"]) for part in json.loads(path.read_text())["parts"]) if path.exists() else 0


def disturbed(source: Path, output: Path, number: int, delay_s: float) -> tuple[int, str]:
    """Run, send a signal after a while, go on. Returns the frames that were kept and what was printed at the end."""
    process = subprocess.Popen(command(source, output), stderr=subprocess.DEVNULL)
    time.sleep(delay_s)
    process.send_signal(number)
    process.wait()
    kept = finished(output)
    again = subprocess.run(command(source, output), capture_output=True, text=True)
    return kept, again.stderr


def main(
    frames: Annotated[int, typer.Option(min=2 * PART_FRAMES)] = 300,
    kills: int = 20,
    stops: int = 5,
) -> None:
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = make_clip(folder / "in.mp4", frames)
        began = time.perf_counter()
        subprocess.run(command(source, folder / "whole.mp4"), check=True, stderr=subprocess.DEVNULL)
        whole_s = time.perf_counter() - began
        whole = (folder / "whole.mp4").read_bytes()
        print(f"undisturbed: {frames} frames in {whole_s:.1f} s, parts of {PART_FRAMES} frames or a few more")
        print("| stopped by | times | same bytes | gone on with | left beside the output |\n|---|---|---|---|---|")
        for name, count in (("SIGKILL", kills), ("SIGTERM", stops), ("SIGHUP", stops)):
            same = resumed = left = 0
            for k in range(count):
                output = folder / f"{name}-{k}.mp4"
                kept, _ = disturbed(source, output, getattr(signal, name), float(rng.uniform(0.1, 0.95)) * whole_s)
                same += output.read_bytes() == whole
                resumed += kept > 0
                left += len([path for path in folder.iterdir() if path.name.startswith(".")])
            print(f"| {name} | {count} | {same} | {resumed} | {left} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
