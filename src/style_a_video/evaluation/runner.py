"""Methods x clips x prompts, one cell at a time. Results are kept in a folder, so a run that was stopped goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ..atomic import write_atomically
from ..errors import InputError
from ..frames import encode_image, tensor_to_pixels
from ..job import Progress
from ..pipeline import StyleAVideoPipeline
from ..temporal import Refiner
from .cache import Cell, cell_key, kept_cell, model_fingerprint
from .clips import Clip
from .encoders import Encoder
from .media import heat_map, time_slice, write_video
from .methods import Method
from .metrics import measure


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
        if not method.external and (cell := kept_cell(work, key))
    }
    cells = []
    done = sum(key in found for key in keys)
    if on_progress:
        on_progress(done, len(wanted))
    with CountedEvaluations(pipeline) as evaluations:
        for key, (clip, prompt, method) in zip(keys, wanted, strict=True):
            if key not in found:
                found[key] = _attempted(work, key, method, clip, prompt, encoder, evaluations)
                done += keys.count(key)
                if on_progress:
                    on_progress(done, len(wanted))
            # Names are not part of what it belongs to.
            cells.append(replace(found[key], method=method.name, encoder=encoder.name))
    return cells


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
    heat = [heat_map((torch.stack(found).nanmean(0) if found else nothing).numpy()) for found in maps.values()]
    pixels = tensor_to_pixels(output)
    cell = Cell(
        method.name, clip.name, prompt, encoder.name, means | cost,
        video=f"{key}.mp4", heat_map=f"{key}.heat.png", time_slice=f"{key}.slice.png", settings=method.identity,
    )  # fmt: skip
    write_video(work / cell.video, pixels, clip.rate)
    write_atomically(work / cell.heat_map, encode_image(PIL.Image.fromarray(np.concatenate(heat, axis=1))))
    write_atomically(work / cell.time_slice, encode_image(PIL.Image.fromarray(time_slice(pixels))))
    # Last, and whole: what is there without it does not count.
    write_atomically(work / f"{key}.json", json.dumps(asdict(cell), indent=1))
    return cell


class CountedEvaluations:
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
