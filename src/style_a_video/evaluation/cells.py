"""Methods x clips x prompts, one cell at a time: every result is kept in a folder, so a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import InputError
from ..pipeline import StyleAVideoPipeline
from ..temporal import Refiner
from .clips import Clip
from .encoders import Encoder
from .heatmaps import coloured
from .measures import measure
from .methods import Method

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Cell:
    """One method on one clip for one prompt."""

    method: str
    clip: str
    prompt: str
    encoder: str
    means: Mapping[str, float | None]
    """Of every measure, and "seconds" and "evaluations" (of the UNet) a frame. Empty where it failed."""
    error: str = ""
    video: str = ""
    """File names in the work folder, or empty: the output as MP4, its mean heat map, its x-t slice."""
    heat_map: str = ""
    time_slice: str = ""


def fill_cells(
    work: Path,
    methods: Sequence[Method],
    clips: Sequence[Clip],
    prompts: Sequence[str],
    encoder: Encoder,
    pipeline: StyleAVideoPipeline,
    refiner: Refiner,
    on_progress: Progress | None = None,
) -> list[Cell]:
    """Every method on every clip for every prompt; what `work` holds already is taken from there.

    A method that fails on a clip leaves a cell that says why, and the others go on.
    """
    work.mkdir(parents=True, exist_ok=True)
    fingerprint = weights_digest(pipeline.unet, refiner)
    wanted = [(clip, prompt, method) for clip in clips for prompt in prompts for method in methods]
    cells = []
    with counted(pipeline) as evaluations:
        for number, (clip, prompt, method) in enumerate(wanted, start=1):
            key = cell_key(method, clip, prompt, encoder, fingerprint)
            kept = work / f"{key}.json"
            if kept.exists():
                cells.append(replace(Cell(**json.loads(kept.read_text())), method=method.name))
            else:
                cells.append(_filled(work, key, method, clip, prompt, encoder, evaluations))
            if on_progress:
                on_progress(number, len(wanted))
    return cells


def _filled(
    work: Path, key: str, method: Method, clip: Clip, prompt: str, encoder: Encoder, evaluations: list[int]
) -> Cell:
    evaluations[0], began = 0, time.perf_counter()
    try:
        output = method.run(clip, prompt)
    except InputError as error:
        return Cell(method.name, clip.name, prompt, encoder.name, {}, error=str(error))
    cost = {"seconds": (time.perf_counter() - began) / len(clip), "evaluations": evaluations[0] / len(clip)}
    total = torch.zeros(output.shape[-2:], dtype=torch.float64)

    def add(_frame: int, which: str, difference: Tensor) -> None:
        if which == "short":
            total.add_(difference / len(clip))

    means = measure(clip, output, prompt, encoder, add).means()
    pixels = (output.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    write_video(work / f"{key}.mp4", pixels, clip.rate)
    PIL.Image.fromarray(coloured(total.numpy())).save(work / f"{key}.heat.png")
    PIL.Image.fromarray(time_slice(pixels)).save(work / f"{key}.slice.png")
    cell = Cell(
        method.name,
        clip.name,
        prompt,
        encoder.name,
        means | cost,
        "",
        f"{key}.mp4",
        f"{key}.heat.png",
        f"{key}.slice.png",
    )
    partial = work / f"{key}.partial"
    partial.write_text(json.dumps(asdict(cell), indent=1))
    os.replace(partial, work / f"{key}.json")
    return cell


def cell_key(method: Method, clip: Clip, prompt: str, encoder: Encoder, fingerprint: str) -> str:
    """A name that changes with whatever would change the cell."""
    told = json.dumps([method.identity, clip.name, prompt, encoder.name, fingerprint], sort_keys=True)
    return hashlib.sha256(told.encode() + clip.pixels.tobytes()).hexdigest()[:20]


def weights_digest(*models: torch.nn.Module) -> str:
    """A digest of the models' weights."""
    digest = hashlib.sha256()
    for model in models:
        for value in model.state_dict().values():
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class counted:
    """Counts the frames x branches that go through the UNet, in a list of one number."""

    def __init__(self, pipeline: StyleAVideoPipeline) -> None:
        self.count = [0]
        self._unet = pipeline.unet

    def __enter__(self) -> list[int]:
        self._handle = self._unet.register_forward_pre_hook(self._add)
        return self.count

    def __exit__(self, *_: Any) -> None:
        self._handle.remove()

    def _add(self, _module: torch.nn.Module, arguments: tuple[Tensor, ...]) -> None:
        self.count[0] += len(arguments[0])


def time_slice(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One scan line over time: the middle row of every frame (T, H, W, 3), each eight rows high."""
    return np.ascontiguousarray(pixels[:, pixels.shape[1] // 2].repeat(8, axis=0))


def write_video(path: Path, pixels: NDArray[np.uint8], rate: Fraction) -> None:
    """Frames (T, H, W, 3) as an H.264 MP4 that browsers play; sides are made even by repeating the last line."""
    padded = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=rate.limit_denominator(1001), options={"crf": "20"})
        stream.height, stream.width, stream.pix_fmt = padded.shape[1], padded.shape[2], "yuv420p"
        for frame in padded:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def read_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames of a kept video."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
