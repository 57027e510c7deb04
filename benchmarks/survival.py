"""Does a job survive? Killed, stopped and failed at random moments, is its output the one of an undisturbed run?

    python benchmarks/survival.py [--frames 300] [--kills 20] [--stops 5] [--disks 5]

Makes a clip, stylizes it undisturbed, then again with `kill -9`, TERM and HUP at random moments, each time gone on with
by the same command. With the right to mount, disks of random size fill up too, and are made larger before the job goes
on. Prints, by kind, how many outputs are the same bytes, how many were gone on with, and what was left beside the
output. Then the time of a job with its journal over that of the same frames written without one, and what becomes of a
batch of twelve clips of which three are broken.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from style_a_video.job import run_job
from style_a_video.journal import PART_FRAMES, folder_of
from style_a_video.models import load_pipeline, load_refiner
from style_a_video.plan import plan_job
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.video import VideoInfo, VideoReader, open_writer, working_size

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


def full_disk(source: Path, disk: Path, size: int) -> tuple[bool, str]:
    """Run on a disk of `size` bytes until it is full, make it larger, go on: whether frames were kept; the fault."""
    output = disk / "out.mp4"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True, capture_output=True)
    failed = subprocess.run(command(source, output), capture_output=True, text=True)
    fault = failed.stderr if failed.returncode == 2 and "Traceback" not in failed.stderr else "not one line"
    kept = finished(output) > 0
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    subprocess.run(command(source, output), capture_output=True)
    return kept, fault


def journal_cost(source: Path, folder: Path, times: int = 5) -> list[float]:
    """Seconds of a job over seconds of its frames written without a journal, each time in one go."""
    pipeline, refiner = load_pipeline(), load_refiner()
    ratios = []
    for k in range(times + 1):
        began = time.perf_counter()
        plan = plan_job(source, "a pencil drawing", folder / f"job-{k}.mp4", size=SIZE)
        run_job(plan, pipeline)
        middle = time.perf_counter()
        reader = VideoReader(source)
        size = working_size(reader.info, SIZE)
        with open_writer(folder / f"plain-{k}.mp4", size, reader.info) as writer:
            frames = stylized_frames(pipeline, reader.frames(size), "a pencil drawing", Settings(size=SIZE), refiner)
            for frame in frames:
                writer.write(frame.pixels, frame.pts)
        ratios.append((middle - began) / (time.perf_counter() - middle))
    return ratios[1:]  # the first one warms up


def batch_of_twelve(folder: Path) -> str:
    """Twelve clips, three of them broken, through the command."""
    clips = folder / "clips"
    clips.mkdir()
    for k in range(12):
        make_clip(clips / f"{k:02d}.mp4", 4)
    for k, content in ((2, b""), (5, b"nothing"), (9, (clips / "09.mp4").read_bytes()[:400])):
        (clips / f"{k:02d}.mp4").write_bytes(content)
    arguments = ["batch", str(clips), "--prompt", "a linocut", "--out", str(folder / "styled"), "--size", "64"]
    done = subprocess.run([sys.executable, "-m", "style_a_video.cli", *arguments], capture_output=True, text=True)
    outcomes = json.loads((folder / "styled" / "batch.json").read_text())
    counts = Counter(outcome["status"] for outcome in outcomes)
    return f"batch of 12: {counts['made']} made, {counts['failed']} told, exit code {done.returncode}"


def main(
    frames: Annotated[int, typer.Option(min=2 * PART_FRAMES)] = 300,
    kills: int = 20,
    stops: int = 5,
    disks: int = 5,
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

        disk = folder / "disk"
        disk.mkdir()
        same = resumed = told = 0
        for _ in range(disks):
            try:
                # Parts and the whole lie on the disk together.
                kept, fault = full_disk(source, disk, int(float(rng.uniform(0.2, 1.8)) * len(whole)))
                same += (disk / "out.mp4").read_bytes() == whole
                resumed += kept
                told += "free some space" in fault
            except subprocess.CalledProcessError:
                print("no disk can be mounted here")
                break
            finally:
                subprocess.run(["umount", disk], capture_output=True)
        print(f"| full disk | {disks} | {same} | {resumed} | told in one line: {told} |", flush=True)
        ratios = journal_cost(source, folder)
        print(f"\njournal: {np.median(ratios):.3f} of the time without it ({min(ratios):.3f} to {max(ratios):.3f})")
        print(batch_of_twelve(folder))


if __name__ == "__main__":
    typer.run(main)
