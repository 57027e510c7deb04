"""A job: a video and a sentence in, the stylized video and the record of how it was made out."""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import PIL.Image
import torch
from av.error import FFmpegError
from numpy.typing import NDArray

from . import __version__
from .errors import InputError
from .models.loading import BUNDLED, bundled_folder, load_pipeline, load_refiner
from .pipeline import StyleAVideoPipeline
from .settings import CALL_SETTINGS, Settings, checked_settings
from .stream import stylized_frames
from .temporal import require_torchvision
from .video import VideoInfo, VideoReader, check_output, open_writer

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""


@dataclass(frozen=True)
class StylizeResult:
    """What a job made."""

    output: Path
    record: Path
    frames: int
    source_size: tuple[int, int]
    working_size: tuple[int, int]
    output_size: tuple[int, int]
    seconds: float
    """Wall time from the first frame read to the file closed; loading the model not included."""


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
        output: .mp4, .mov, .mkv, .webm, an image (for one frame), or a folder name for PNGs. Frame count, time stamps and
            sound are the input's. `OUTPUT.json` beside it records how it was made.
        preview: only the middle frame, as an image: `output` with the suffix .png.
        pipeline: an already loaded model; else `settings["model"]` is loaded.
        settings: fields of `Settings`.

    Raises:
        InputError: one line that says what is wrong and what to do. Nothing is left half-written.
    """
    chosen = checked_settings(settings)
    reader = VideoReader(video)
    _check_span(chosen, reader.info)
    if not Path(output).name:
        raise InputError(f"{output} is a folder: give the output a name")
    target = Path(output).with_suffix(".png") if preview else Path(output)
    info = reader.info
    check_output(target, info if not preview else _one_frame(info), overwrite)
    record = target.with_name(target.name + ".json")
    if record.is_dir() or (record.exists() and not overwrite):
        raise InputError(f"{record} exists already: pass --overwrite to replace it, or give the output another name")
    if not prompt.strip():
        raise InputError('the prompt is empty: describe the style, e.g. "Make it an Ukiyo-e painting."')
    if chosen.flow == "raft":
        require_torchvision()
    if pipeline is None:
        pipeline = load_pipeline(chosen.model)
    pipeline.check_settings(**{name: getattr(chosen, name) for name in CALL_SETTINGS})
    working = working_size(info, chosen.size or pipeline.defaults(chosen.fast)["size"])
    final = (info.width, info.height) if chosen.output_size == "source" else working

    refiner = load_refiner() if chosen.refines else None
    began = time.perf_counter()
    frames = reader.frames(working, chosen.start_s, chosen.end_s)
    total = _frames_in_span(chosen, info)
    if preview:
        # The last one seen, should the clip hold fewer than its rate and length promise.
        frames, total = iter(deque(islice(frames, total // 2 + 1), maxlen=1)), 1
    done = 0
    try:
        with open_writer(target, final, info, chosen.start_s, chosen.end_s) as writer:
            for frame in stylized_frames(pipeline, frames, prompt, chosen, refiner):
                writer.write(_resized(frame.pixels, final), frame.pts)
                done += 1
                if on_progress:
                    on_progress(done, max(total, done))
            if not done:
                raise InputError(f"no frame of {info.path} lies in the chosen span: change --start and --end")
    except (FFmpegError, OSError) as error:
        raise InputError(
            f"cannot write {target} ({error.strerror}): is the disk full? Free some space, or choose another folder"
        ) from error
    if on_progress:
        on_progress(done, done)
    result = StylizeResult(
        target,
        record,
        done,
        (info.width, info.height),
        working,
        final,
        time.perf_counter() - began,
    )
    write_record(result, info, prompt, chosen, pipeline, preview)
    return result


def working_size(info: VideoInfo, short_side: int) -> tuple[int, int]:
    """(width, height): short side as asked, aspect kept, both even (for 4:2:0 video)."""
    scale = short_side / min(info.width, info.height)
    return max(2, round(info.width * scale / 2) * 2), max(2, round(info.height * scale / 2) * 2)


def write_record(
    result: StylizeResult,
    info: VideoInfo,
    prompt: str,
    settings: Settings,
    pipeline: StyleAVideoPipeline,
    preview: bool,
) -> None:
    """Write everything needed to make the output again beside it, as JSON."""
    resolved = asdict(settings) | {
        "model": pipeline.config.get("_name_or_path") or settings.model, "refine": settings.refines,
    }  # fmt: skip
    resolved = resolved | {
        name: value for name, value in pipeline.defaults(settings.fast).items() if resolved[name] is None
    }
    if settings.model == BUNDLED and Path(resolved["model"]) == bundled_folder():
        resolved["model"] = BUNDLED
    record = {
        "input": str(info.path.resolve()),
        "prompt": prompt,
        "preview": preview,
        "output": result.output.name,
        "settings": resolved,
        "frames": result.frames,
        "source_size": result.source_size,
        "working_size": result.working_size,
        "output_size": result.output_size,
        "seconds": round(result.seconds, 3),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scheduler": type(pipeline.scheduler).__name__,
        "device": str(pipeline.device),
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "versions": {
            "style-a-video": __version__, "torch": torch.__version__, "diffusers": diffusers.__version__, "python": platform.python_version(),
        },
    }  # fmt: skip
    partial = result.record.with_name(f".{result.record.name}.partial")
    partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(result.record)


def _check_span(settings: Settings, info: VideoInfo) -> None:
    start, end = settings.start_s, settings.end_s
    if not (np.isfinite(start) and start >= 0 and (end is None or (np.isfinite(end) and end > start))):
        span = f"{start} s to {'the end' if end is None else f'{end} s'}"
        raise InputError(f"the span {span} cannot be used: --start must be 0 or more seconds, and --end after it")
    if start >= info.duration_s:
        raise InputError(f"--start {start} is past the end of {info.path}, which is {info.duration_s:.2f} s long")


def _frames_in_span(settings: Settings, info: VideoInfo) -> int:
    end = min(info.duration_s, settings.end_s or info.duration_s)
    return max(1, round((end - settings.start_s) * float(info.rate)))


def _one_frame(info: VideoInfo) -> VideoInfo:
    return VideoInfo(**(vars(info) | {"frame_count": 1}))


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.LANCZOS))
