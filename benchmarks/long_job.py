"""Ten thousand frames beside two hours of sound: is the memory flat, and are they in step at the end?

    python benchmarks/long_job.py [--frames 10000] [--hours 2]

Makes a tiny clip with that many frames and so much sound, stylizes it by the command, kills it with `kill -9` half-way,
and goes on. Prints the memory over the job, the resumed one too, and how far the last frame and the last sound of the
output are from where the source has them.
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
from typing import Any

import av
import numpy as np
import typer

WIDTH, HEIGHT, RATE = 64, 48, 8000


def make_clip(path: Path, frames: int, seconds: float) -> None:
    """A pattern that moves, and a tone."""
    pattern = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8).repeat(4, 1)[:, :WIDTH]
    step = round(seconds / frames * 1000)
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("libx264", rate=Fraction(1000, step), options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.time_base = picture.codec_context.time_base = Fraction(1, 1000)
        sound: Any = container.add_stream("aac", rate=RATE, layout="mono")
        sounded = 0
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(pattern, k, axis=1))
            frame.pts, frame.time_base = k * step, Fraction(1, 1000)
            container.mux(picture.encode(frame))
            while sounded < (k + 1) * step * RATE // 1000:
                wave = (8000 * np.sin(np.arange(sounded, sounded + 1024) * 0.3)).astype(np.int16)
                piece = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
                piece.sample_rate, piece.pts, piece.time_base = RATE, sounded, Fraction(1, RATE)
                container.mux(sound.encode(piece))
                sounded += 1024
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))


def ends(path: Path) -> tuple[float, float, int]:
    """When the last picture begins and the last sound ends, in seconds, and the number of pictures."""
    with av.open(str(path)) as container:
        last = {"video": 0.0, "audio": 0.0}
        count = 0
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if packet.pts is None or packet.time_base is None:
                continue
            is_video = packet.stream.type == "video"
            count += is_video
            until = packet.pts + (0 if is_video else packet.duration or 0)
            last[packet.stream.type] = max(last[packet.stream.type], float(until * packet.time_base))
    return last["video"], last["audio"], count


def run(source: Path, output: Path, kill_at: int | None) -> list[tuple[int, float]]:
    """The command; returns (frames done, memory in MB) every second."""
    command = [sys.executable, "-m", "style_a_video.cli", "stylize", str(source), "a pencil drawing", str(output)]
    process = subprocess.Popen(
        [*command, "--size", "32", "--fast", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    samples: list[tuple[int, float]] = []
    seen = time.monotonic()
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] != "progress" or time.monotonic() - seen < 1:
            continue
        seen = time.monotonic()
        status = Path(f"/proc/{process.pid}/status").read_text()
        samples.append((event["done"], int(status.split("VmRSS:")[1].split()[0]) / 1000))
        if kill_at is not None and event["done"] >= kill_at:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    return samples


def growth(samples: list[tuple[int, float]]) -> str:
    """Memory at a fifth of a run against its end."""
    first = np.mean([memory for _, memory in samples[len(samples) // 5 :][:5]])
    last = np.mean([memory for _, memory in samples[-5:]])
    return (
        f"{first:.0f} MB at frame {samples[len(samples) // 5][0]}, {last:.0f} at {samples[-1][0]}: {last / first:.3f}"
    )


def main(frames: int = 10_000, hours: float = 2) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch) / "in.mp4", Path(scratch) / "out.mp4"
        make_clip(source, frames, hours * 3600)
        print("until it is killed:", growth(run(source, output, frames // 2)), flush=True)
        print("gone on with:      ", growth(run(source, output, None)))
        before, after = ends(source), ends(output)
        print(f"frames: {before[2]} in, {after[2]} out")
        print(
            f"last picture {after[0] - before[0]:+.4f} s, end of sound {after[1] - before[1]:+.4f} s from the source's"
        )


if __name__ == "__main__":
    typer.run(main)
