"""Methods x clips x prompts, one cell at a time: every result is kept in a folder, so a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cache
from importlib import import_module
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
from .encoders import Encoder, weights_digest
from .files import png, whole, write_whole
from .heatmaps import coloured
from .measures import measure
from .methods import Method

Progress = Callable[[int, int], None]
LIBRARIES = ("torch", "diffusers", "transformers", "cv2", "scenedetect", "skimage", "numpy")
"""What pictures and measures are computed with: a kept result belongs to their versions."""


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
    """File names in the work folder, or empty: the output as MP4; its mean heat map to the frame before and, beside it, to the shot's
    first; its x-t slice."""
    heat_map: str = ""
    time_slice: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the method ran with: its identity."""


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
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write in {work} ({error.strerror}): give another --folder") from error
    fingerprint = model_fingerprint(pipeline, refiner)
    wanted = [(clip, prompt, method) for clip in clips for prompt in prompts for method in methods]
    keys = [cell_key(method, clip, prompt, encoder, fingerprint) for clip, prompt, method in wanted]
    # By key: two names of one thing are computed once.
    found = {
        key: cell
        for key, (*_, method) in zip(keys, wanted, strict=True)
        if not method.external and (cell := _kept(work, key))
    }
    cells = []
    done = sum(key in found for key in keys)
    if on_progress:
        on_progress(done, len(wanted))
    with counted(pipeline) as evaluations:
        for key, (clip, prompt, method) in zip(keys, wanted, strict=True):
            if key not in found:
                found[key] = _attempted(work, key, method, clip, prompt, encoder, evaluations)
                done += keys.count(key)
                if on_progress:
                    on_progress(done, len(wanted))
            # Names are not part of what it belongs to.
            cells.append(replace(found[key], method=method.name, encoder=encoder.name))
    return cells


def _kept(work: Path, key: str) -> Cell | None:
    """A cell that an earlier run left whole."""
    try:
        cell = Cell(**json.loads((work / f"{key}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return cell if all((work / name).is_file() for name in (cell.video, cell.heat_map, cell.time_slice)) else None


def _attempted(
    work: Path, key: str, method: Method, clip: Clip, prompt: str, encoder: Encoder, evaluations: list[int]
) -> Cell:
    evaluations[0], began = 0, time.perf_counter()
    try:
        output = method.run(clip, prompt)
        if output.shape != (wanted := (len(clip), 3, *clip.pixels.shape[1:3])):
            raise InputError(f"it made {tuple(output.shape)} where {wanted} is wanted")
        if not torch.isfinite(output).all():
            raise InputError("it made values that are no numbers")
    except InputError as error:
        reason = str(error)
    except Exception as error:  # whatever breaks one method must not end the study of the others
        reason = f"{type(error).__name__}: {error}"
    else:
        seconds = time.perf_counter() - began
        cost: dict[str, float | None] = {"seconds": seconds / len(clip), "evaluations": evaluations[0] / len(clip)}
        return _measured(
            work, key, method, clip, prompt, encoder, output, dict.fromkeys(cost) if method.external else cost
        )
    return Cell(method.name, clip.name, prompt, encoder.name, {}, error=reason, settings=method.identity)


def _measured(
    work: Path,
    key: str,
    method: Method,
    clip: Clip,
    prompt: str,
    encoder: Encoder,
    output: Tensor,
    cost: dict[str, float | None],
) -> Cell:
    """The cell of an output, kept. Raises InputError where it cannot be written."""
    maps: dict[str, list[Tensor]] = {"short": [], "long": []}
    means = measure(clip, output, prompt, encoder, lambda _, which, difference: maps[which].append(difference)).means()
    nothing = torch.full(output.shape[-2:], torch.nan)
    heat = [coloured((torch.stack(found).nanmean(0) if found else nothing).numpy()) for found in maps.values()]
    pixels = (output.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    cell = Cell(
        method.name, clip.name, prompt, encoder.name, means | cost,
        video=f"{key}.mp4", heat_map=f"{key}.heat.png", time_slice=f"{key}.slice.png", settings=method.identity,
    )  # fmt: skip
    write_video(work / cell.video, pixels, clip.rate)
    write_whole(work / cell.heat_map, png(PIL.Image.fromarray(np.concatenate(heat, axis=1))))
    write_whole(work / cell.time_slice, png(PIL.Image.fromarray(time_slice(pixels))))
    # Last, and whole: what is there without it does not count.
    write_whole(work / f"{key}.json", json.dumps(asdict(cell), indent=1))
    return cell


def model_fingerprint(pipeline: StyleAVideoPipeline, refiner: Refiner) -> str:
    """What changes with anything of the model that changes its pictures."""
    modules = [pipeline.unet, pipeline.vae, pipeline.text_encoder, refiner]
    modules += [pipeline.image_encoder] if pipeline.image_encoder is not None else []
    configs = [part.config.to_dict() if hasattr(part.config, "to_dict") else dict(part.config) for part in modules]
    # Where it was loaded from does not matter.
    configs = [{name: value for name, value in config.items() if name != "_name_or_path"} for config in configs]
    processor = pipeline.feature_extractor.to_dict() if pipeline.feature_extractor is not None else {}
    told = [
        source_digest(), weights_digest(*modules), configs, pipeline.tokenizer.get_vocab(), processor, pipeline.defaults(),
        pipeline.config.fast_defaults, dict(pipeline.scheduler.config), str(pipeline.unet.dtype), str(pipeline.unet.device),
        {name: import_module(name).__version__ for name in LIBRARIES},
    ]  # fmt: skip
    return json.dumps(told, sort_keys=True, default=str)


@cache
def source_digest() -> str:
    """Of the package's code: what it computes may change with any line."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def cell_key(method: Method, clip: Clip, prompt: str, encoder: Encoder, fingerprint: str) -> str:
    """A name that changes with whatever would change the cell."""
    told = json.dumps(
        [
            method.identity,
            clip.name,
            clip.pixels.shape,
            str(clip.rate),
            prompt,
            encoder.digest,
            fingerprint,
        ],
        sort_keys=True,
    )
    return hashlib.sha256(told.encode() + clip.pixels.tobytes()).hexdigest()[:20]


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
    """Frames (T, H, W, 3) as an H.264 MP4 that browsers play, whole or not at all; sides are made even by repeating the last line.

    Raises InputError when it cannot be written.
    """
    padded = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)), mode="edge")
    with whole(path) as partial, av.open(str(partial), "w", options={"movflags": "+faststart"}) as container:
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
