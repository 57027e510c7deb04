"""What untrusted files do: thousands with damaged bytes, and small ones that ask for much. None may do harm.

    python benchmarks/fuzz.py [--files 2000] [--commands 100] [--seed 0]

Makes clips and pictures in 24 formats and damages copies of them: bytes changed, cut off, moved, numbers in headers set
to extremes. Every copy is read and written again as a job does, without the model, in a process of its own, and some
through the command. Prints, by format, how many were read or refused in one line, and whatever else happened: a crash,
a traceback, more than 10 s, more than 1.5 GB. Ends with exit code 1 if anything did.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any

import av
import numpy as np
import PIL.Image
import typer
from av.error import FFmpegError
from numpy.typing import NDArray

from style_a_video.atomic import cannot_write
from style_a_video.errors import InputError
from style_a_video.video import VideoReader, open_writer, working_size

SECONDS, BYTES = 10.0, 1.5e9
VIDEOS = {
    # suffix: (container, picture codec, pixel format, sound codec)
    "mp4": ("mp4", "libx264", "yuv420p", "aac"),
    "hevc.mp4": ("mp4", "libx265", "yuv420p10le", "aac"),
    "mov": ("mov", "prores_ks", "yuv422p10le", "pcm_s16le"),
    "mkv": ("matroska", "ffv1", "yuv444p", "flac"),
    "webm": ("webm", "libvpx-vp9", "yuva420p", "libopus"),
    "vp8.webm": ("webm", "libvpx", "yuv420p", "libopus"),
    "avi": ("avi", "mpeg4", "yuv420p", "pcm_s16le"),
    "mjpeg.avi": ("avi", "mjpeg", "yuvj420p", "libmp3lame"),
    "flv": ("flv", "flv1", "yuv420p", "libmp3lame"),
    "ts": ("mpegts", "mpeg2video", "yuv420p", "mp2"),
    "h264.ts": ("mpegts", "libx264", "yuv420p", "aac"),
    "mpg": ("mpeg", "mpeg1video", "yuv420p", "mp2"),
    "wmv": ("asf", "wmv2", "yuv420p", "libmp3lame"),
    "nut": ("nut", "huffyuv", "rgb24", "pcm_s16le"),
    "y4m": ("yuv4mpegpipe", "wrapped_avframe", "yuv420p", ""),
    "h264": ("h264", "libx264", "yuv420p", ""),
    "av1.mp4": ("mp4", "libsvtav1", "yuv420p", "aac"),
    "mxf": ("mxf", "mpeg2video", "yuv420p", "pcm_s16le"),
    "gif": ("gif", "gif", "rgb8", ""),
}
IMAGES = ("png", "jpg", "webp", "bmp", "tiff")
Clip = NDArray[np.uint8]


def make_video(path: Path, form: tuple[str, str, str, str], frames: int = 12) -> None:
    """A moving pattern with half a second of tone."""
    container_name, codec, pixel_format, sound = form
    pattern: Clip = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8).repeat(2, 0)[:64]
    rate = 25
    with av.open(str(path), "w", format=container_name) as container:
        picture: Any = container.add_stream(codec, rate=rate)
        picture.width, picture.height, picture.pix_fmt = 96, 64, pixel_format
        track: Any = container.add_stream(sound, rate=48000) if sound else None
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(pattern, 2 * k, axis=1)).reformat(format=pixel_format)
            frame.pts, frame.time_base = k, Fraction(1, rate)
            container.mux(picture.encode(frame))
        if track is not None:
            tone = (np.sin(np.arange(48000 * frames // rate) / 20) * 9000).astype(np.int16)
            sounding = av.AudioFrame.from_ndarray(np.tile(tone, (2, 1)).T.reshape(1, -1), "s16", "stereo")
            sounding.rate, sounding.pts = 48000, 0
            resampler = av.AudioResampler(track.format, track.layout, track.rate, frame_size=track.frame_size or 1024)
            for piece in [*resampler.resample(sounding), *resampler.resample(None)]:
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
        container.mux(picture.encode(None))


def make_originals(folder: Path) -> list[Path]:
    """One sound file of every format that this build of FFmpeg writes."""
    made = []
    for suffix, form in VIDEOS.items():
        path = folder / f"original.{suffix}"
        try:
            make_video(path, form)
        except (FFmpegError, ValueError) as error:
            print(f"not written by this FFmpeg: {suffix} ({error})")
            path.unlink(missing_ok=True)
            continue
        made.append(path)
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    for suffix in IMAGES:
        PIL.Image.fromarray(picture).save(folder / f"original.{suffix}")
        made.append(folder / f"original.{suffix}")
    return made


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four faults; half of them in the header."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        reach = min(len(data), 2048) if rng.random() < 0.5 else len(data)
        at, kind = int(rng.integers(max(1, reach))), rng.integers(6)
        length = int(rng.integers(1, 64))
        if kind == 0:
            data[at : at + length] = rng.bytes(min(length, len(data) - at))
        elif kind == 1:
            del data[max(16, at) :]
        elif kind == 2:
            data[at : at + length] = bytes(min(length, len(data) - at))
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            del data[at : at + length]
        else:
            extreme = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF0000)[rng.integers(6)]
            data[at : at + 4] = extreme.to_bytes(4, ("big", "little")[rng.integers(2)])
    return bytes(data)


def read_and_write(path: Path, output: Path) -> str:
    """What a job does with a file, but for the model. Returns "read" or "refused"."""
    try:
        reader = VideoReader(path)
        size = working_size(reader.info, 64)
        with open_writer(output, size, reader.info) as writer:
            for frame in reader.frames(size):
                writer.write(frame.pixels, frame.pts)
    except InputError as error:
        return "refused" if "\n" not in str(error) else "refused in several lines"
    except (FFmpegError, OSError) as error:
        return f"refused as unwritable: {cannot_write(output, error)}"
    return "read"


def worker(pipe: Connection, folder: Path) -> None:
    """Handles one path after the other; answers (what happened, peak memory in bytes)."""
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while True:
        path = pipe.recv()
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        try:
            what = read_and_write(path, folder / "out.mp4")
        except BaseException as error:
            what = f"TRACEBACK {type(error).__name__}: {error}"
        status = Path("/proc/self/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
        (folder / "out.mp4").unlink(missing_ok=True)
        pipe.send((what, peak))


class Handler:
    """A worker that is replaced when it dies or takes too long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=worker, args=(theirs, self.folder), daemon=True)
        self.process.start()

    def handle(self, path: Path) -> tuple[str, int]:
        """What happened to a file, and the peak of the memory."""
        self.pipe.send(path)
        began = time.monotonic()
        while time.monotonic() < began + SECONDS + 20 * (not hasattr(self, "warm")):
            if self.pipe.poll(0.2):
                self.warm = True
                answer: tuple[str, int] = self.pipe.recv()
                return answer
            if not self.process.is_alive():
                self._start()
                return "CRASH", 0
        self.process.kill()
        self.process.join()
        self._start()
        return f"HANG over {SECONDS:.0f} s", 0


def through_command(path: Path, output: Path) -> str:
    """What the command makes of a file."""
    arguments = [str(path), "a pencil drawing", str(output), "--size", "64", "--fast", "--overwrite"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "style_a_video.cli", "stylize", *arguments], capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "HANG"
    if "Traceback" in done.stderr or done.returncode not in (0, 2):
        return f"TRACEBACK or exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
    return "read" if done.returncode == 0 else "refused"


def main(
    files: Annotated[int, typer.Option(help="Damaged files that are read and written.")] = 2000,
    commands: Annotated[int, typer.Option(help="Of other damaged files, so many go through the command.")] = 100,
    seed: int = 0,
    keep: Annotated[Path | None, typer.Option(help="Where to put the files that did harm.")] = None,
) -> None:
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        originals = make_originals(folder)
        handler = Handler(folder)

        def count(label: str, total: int, handle: Callable[[Path], tuple[str, int]], offset: int) -> int:
            harm = 0
            print(
                f"\n| {label}: format | files | read | refused | harm | largest peak, MB |\n|---|---|---|---|---|---|"
            )
            for number, original in enumerate(originals):
                kind, counts, largest = original.name.partition(".")[2], Counter[str](), 0
                mine = total // len(originals) + (number < total % len(originals))
                if not mine:
                    continue
                for k in range(mine):
                    path = folder / f"damaged.{original.suffix[1:]}"
                    content = damaged(original.read_bytes(), np.random.default_rng((seed, offset + number, k)))
                    path.write_bytes(content)
                    what, peak = handle(path)
                    largest = max(largest, peak)
                    what = f"MEMORY {peak / 1e9:.1f} GB, {what}" if peak > BYTES else what
                    counts[what.partition(" ")[0]] += 1
                    if what not in ("read", "refused") and not what.startswith("refused as"):
                        harm += 1
                        print(f"{kind} {k}: {what}", file=sys.stderr)
                        if keep is not None:
                            keep.mkdir(parents=True, exist_ok=True)
                            (keep / f"{number}-{k}.{original.suffix[1:]}").write_bytes(content)
                    elif what.startswith("refused as"):
                        print(f"{kind} {k}: {what}", file=sys.stderr)
                harmful = mine - counts["read"] - counts["refused"]
                print(f"| {kind} | {mine} | {counts['read']} | {counts['refused']} | {harmful} | {largest / 1e6:.0f} |")
            return harm

        bad += count("in process", files, handler.handle, 0)
        bad += count("by the command", commands, lambda path: (through_command(path, folder / "out.mp4"), 0), 1000)
    print(f"\n{bad} of {files + commands} did harm")
    raise typer.Exit(bool(bad))


if __name__ == "__main__":
    typer.run(main)
