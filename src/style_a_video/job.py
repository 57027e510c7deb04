"""A job: a video and a sentence in; the stylized video out, and a record of how it was made."""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import diffusers
import torch
from av.error import FFmpegError

from . import __version__
from .atomic import cannot_write, write_atomically
from .errors import InputError
from .frames import resize_pixels
from .models import bundled_folder, load_pipeline, load_refiner
from .pipeline import StyleAVideoPipeline
from .plan import Plan, plan_job
from .schedulers import SCHEDULERS
from .settings import BUNDLED, ResolvedSettings
from .stream import stylized_frames
from .video import open_writer, working_size

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""


@dataclass(frozen=True)
class StylizeResult:
    """What a job made."""

    output: Path
    record: Path
    """JSON: everything needed to make the output again."""
    frames: int
    source_size: tuple[int, int]
    """Width and height, as are the other sizes."""
    working_size: tuple[int, int]
    output_size: tuple[int, int]
    seconds: float
    """Wall time from the first frame read to the file closed, without loading the model."""


def stylize(
    video: str | Path,
    prompt: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    preview: bool = False,
    pipeline: StyleAVideoPipeline | None = None,
    on_progress: Progress | None = None,
    **settings: Any,
) -> StylizeResult:
    """Stylize a video file, GIF, image or folder of images.

    Args:
        video: what to stylize.
        prompt: the style in a sentence, e.g. "Make it an Ukiyo-e painting."
        output: .mp4, .m4v, .mov, .mkv, .webm, an image (for one frame), or a folder name for PNGs. Frame count, time
            stamps and sound are the input's. `OUTPUT.json` beside it records how it was made.
        overwrite: replace the output if it exists.
        preview: make only the middle frame, as an image: `output` with the suffix .png.
        pipeline: an already loaded model; else `settings["model"]` is loaded.
        on_progress: called with (frames done, frames in all).
        settings: fields of `Settings`.

    Raises:
        InputError: one line that says what is wrong and what to do. Nothing is left half-written.
    """
    plan = plan_job(video, prompt, output, overwrite=overwrite, preview=preview, **settings)
    return run_job(plan, pipeline, on_progress)


def run_job(
    plan: Plan, pipeline: StyleAVideoPipeline | None = None, on_progress: Progress | None = None
) -> StylizeResult:
    """Carry out a plan. Raises InputError as `stylize` does."""
    pipeline = pipeline or load_pipeline(plan.settings.model)
    settings, info = pipeline.resolve(plan.settings), plan.reader.info
    working = working_size(info, settings.size)
    final = (info.width, info.height) if settings.output_size == "source" else working
    refiner = load_refiner() if settings.refine else None
    began = time.perf_counter()
    frames = plan.reader.frames(working, settings.start_s, settings.end_s)
    if plan.preview:
        # The last one seen, should the clip hold fewer than its rate and length promise.
        frames = iter(deque(islice(frames, plan.frames_in_span // 2 + 1), maxlen=1))
    done = 0
    try:
        with open_writer(plan.output, final, info, settings.start_s, settings.end_s) as writer:
            for frame in stylized_frames(pipeline, frames, plan.prompt, settings, refiner):
                writer.write(resize_pixels(frame.pixels, final), frame.pts)
                done += 1
                if on_progress:
                    on_progress(done, max(plan.frame_count, done))
            if not done:
                raise InputError(f"no frame of {info.path} lies in the chosen span: change --start and --end")
    except (FFmpegError, OSError) as error:
        raise cannot_write(plan.output, error) from error
    if on_progress:
        on_progress(done, done)
    seconds = time.perf_counter() - began
    source = (info.width, info.height)
    result = StylizeResult(plan.output, plan.record, done, source, working, final, seconds)
    write_record(result, plan, settings, pipeline)
    return result


def write_record(result: StylizeResult, plan: Plan, settings: ResolvedSettings, pipeline: StyleAVideoPipeline) -> None:
    """Write everything needed to make the output again beside it, as JSON."""
    model = pipeline.config.get("_name_or_path") or settings.model
    if settings.model == BUNDLED and Path(model) == bundled_folder():
        model = BUNDLED
    record = {
        "input": str(plan.reader.info.path.resolve()),
        "prompt": plan.prompt,
        "preview": plan.preview,
        "output": result.output.name,
        "settings": settings.model_dump() | {"model": model},
        "frames": result.frames,
        "source_size": result.source_size,
        "working_size": result.working_size,
        "output_size": result.output_size,
        "seconds": round(result.seconds, 3),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scheduler": SCHEDULERS[settings.scheduler] if settings.scheduler else type(pipeline.scheduler).__name__,
        "device": str(pipeline.device),
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "versions": {
            "style-a-video": __version__,
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "python": platform.python_version(),
        },
    }
    write_atomically(result.record, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
