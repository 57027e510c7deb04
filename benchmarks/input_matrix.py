"""Every kind of file through reading and writing: are counts, times, colours and sound those of the source?

    python benchmarks/input_matrix.py [--pairs 150]

Makes clips of four known colours that differ in container, codec, pixel format, range, matrix, transfer, orientation,
rate, sound and faults: every kind by itself, and random pairs of kinds. The YUV codes come from the standards' formulas
in NumPy, so no scaler checks itself. Each clip is read and written to .mp4 and .mkv as a job does, without the model.
Prints a row for every kind: how many clips, and how many have the frames, time stamps, length and sound of the source,
with the largest error of a colour. Ends with exit code 1 if any is wrong.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import typer
from av.error import FFmpegError
from numpy.typing import NDArray

from input_clips import FRAMES, KINDS, Case, Truth, cases, colours_of, harmed, make
from style_a_video.errors import InputError
from style_a_video.video import VideoReader, open_writer


def oriented(colours: NDArray[np.float64], orientation: str) -> NDArray[np.float64]:
    """The patches as shown: a rotation in degrees is counter-clockwise, as FFmpeg's."""
    grid = colours.reshape(2, 2, 3)
    if orientation == "mirrored":
        grid = grid[:, ::-1]
    elif orientation != "upright":
        grid = np.rot90(grid, int(orientation[:-1]) // 90)
    return grid.reshape(4, 3)


@dataclass
class Found:
    """Of one case: what is right."""

    frames: bool = False
    stamps: bool = False
    length: bool = False
    sound: bool = False
    colour: float = 255.0
    why: str = ""


def check(case: Case, folder: Path) -> Found:
    """Make a clip, read and write it, and compare."""
    path = folder / f"in.{case.format.split()[0]}"
    truth = make(case, path)
    harmed(case, path)
    found = Found()
    try:
        reader = VideoReader(path)
        frames = list(reader.frames())
        found.colour = colour_error(case, frames[len(frames) // 2].pixels)
        outputs = [folder / "out.mp4", folder / "out.mkv"]
        for output in outputs:
            with open_writer(output, (reader.info.width, reader.info.height), reader.info) as writer:
                for frame in frames:
                    writer.write(frame.pixels, frame.pts)
    except (InputError, FFmpegError) as error:
        can_be_refused = case.fault == "cut at 80 %" and case.format.split()[0] in ("mp4", "mov", "3gp")
        return Found(True, True, True, True, 0.0) if can_be_refused else replace(found, why=str(error))
    judged = [judge(case, truth, output, len(frames)) for output in outputs]
    why = "; ".join(one.why for one in judged if one.why)
    return Found(
        all(one.frames for one in judged), all(one.stamps for one in judged), all(one.length for one in judged),
        all(one.sound for one in judged), found.colour, why,
    )  # fmt: skip


def colour_error(case: Case, pixels: NDArray[np.uint8]) -> float:
    height, width = pixels.shape[:2]
    at = [(height * (1 + 2 * row) // 4, width * (1 + 2 * column) // 4) for row in (0, 1) for column in (0, 1)]
    seen = np.array([pixels[y - 2 : y + 2, x - 2 : x + 2].reshape(-1, 3).mean(0) for y, x in at])
    return float(np.abs(seen - oriented(colours_of(case), case.orientation)).max())


def judge(case: Case, truth: Truth, output: Path, read: int) -> Found:
    """Compare an output with what its source was made of."""
    whole = case.fault != "cut at 80 %"
    found = Found(colour=0)
    with av.open(str(output)) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.pts is not None]
        base = float(video.time_base or 0)
        times = sorted(packet.pts * base for packet in packets if packet.pts is not None)
        ends = max((packet.pts + (packet.duration or 0)) * base for packet in packets if packet.pts is not None)
        layouts = [str(stream.layout.name) for stream in container.streams.audio]
        if output.suffix == ".mkv":  # which knows the length of the whole file only
            ends = max(ends, (container.duration or 0) / av.time_base)
        else:  # where packets tell the time to the next in the order of the file
            ends = times[0] + (video.duration or 0) * base
    expected = truth.stamps_s if whole else truth.stamps_s[:read]
    found.frames = len(times) == len(expected) and (read == FRAMES if whole else read > FRAMES // 3)
    first = times[0] if times else 0.0
    near = 0.0011 if output.suffix == ".mkv" or case.format[:3] in ("mkv", "web", "flv", "wmv") else 0.0001
    # What is cut within B-frames lacks one among its last.
    off = [min(abs(time - first - one) for one in truth.stamps_s) for time in times]
    found.stamps = found.frames and max(off) <= near
    found.length = not whole or abs(ends - first - truth.length_s) <= 0.0451
    found.sound = [*map(channels, layouts)] == [*map(channels, truth.layouts)] or not whole
    wrong = [name for name in ("frames", "stamps", "length", "sound") if not getattr(found, name)]
    if wrong:
        found.why = f"{output.suffix}: {', '.join(wrong)} ({len(times)} frames to {ends - first:.3f} s, {layouts})"
    return found


def channels(layout: str) -> str:
    """A layout as it is, but for where containers cannot say it: PCM in MP4, and side against back."""
    return {"1 channels": "mono", "2 channels": "stereo"}.get(layout, layout.replace("(side)", ""))


def rows(results: list[tuple[Case, Found]]) -> Iterator[str]:
    for name, kinds in KINDS.items():
        for kind in kinds:
            of = [(case, found) for case, found in results if getattr(case, name) == kind]
            if of:
                counts = [
                    sum(getattr(found, what) for _, found in of) for what in ("frames", "stamps", "length", "sound")
                ]
                error = max(found.colour for _, found in of)
                yield f"| {name} | {kind} | {len(of)} | {' | '.join(map(str, counts))} | {error:.1f} |"


def main(pairs: Annotated[int, typer.Option(help="Random pairs of kinds beside every kind alone.")] = 150) -> None:
    warnings.simplefilter("ignore")
    results = []
    for case in cases(pairs):
        with tempfile.TemporaryDirectory() as folder:
            found = check(case, Path(folder))
        results.append((case, found))
        limit = 8.0 if case.colour in ("PQ", "HLG") else 3.0
        if found.why or found.colour > limit:
            print(f"{case}: {found}", file=sys.stderr)
    print("| of | kind | clips | frames | time stamps | length | sound | largest colour error |\n|" + "---|" * 8)
    for row in rows(results):
        print(row)
    bad = sum(bool(found.why) or found.colour > (8 if case.colour in ("PQ", "HLG") else 3) for case, found in results)
    print(f"\n{len(results) - bad} of {len(results)} clips are right")
    raise typer.Exit(bool(bad))


if __name__ == "__main__":
    typer.run(main)
