"""A job: a video and a sentence in; the stylized video out, and a record of how it was made."""

from __future__ import annotations

import json
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from av.error import FFmpegError

from .atomic import atomic_path, cannot_write, replace, write_atomically
from .errors import InputError
from .frames import Pixels, resize_pixels
from .journal import LONGEST_PART, PART_FRAMES, Journal, open_journal
from .models import load_pipeline, load_refiner
from .pipeline import StyleAVideoPipeline
from .plan import Plan, plan_job
from .record import StylizeResult, describe, describe_result, recipe_of
from .segments import Made, Recipe, SegmentMaker, segments
from .stream import stylized_stream
from .video import LONGEST_JOIN_S, Output, Part, VideoFrame, VideoInfo, output_for, run_isolated, working_size

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""


class Stopped(Exception):
    """A job that ended because it was asked to. What is finished is kept, and can be gone on from.

    `partial` is a playable file of it, or None where nothing was finished.
    """

    def __init__(self, partial: Path | None) -> None:
        super().__init__("stopped")
        self.partial = partial


@dataclass(frozen=True)
class Watcher:
    """What a program that shows a job wants of it; all is called in the job's own thread."""

    on_progress: Progress | None = None
    on_frame: Callable[[Pixels], None] | None = None
    """Called with every stylized frame, (H, W, 3) uint8 RGB of the working size."""
    wants_stop: Callable[[], bool] = lambda: False
    """Asked wherever a part can end; then the job ends with `Stopped`."""


def stylize(
    video: str | Path,
    prompt: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    preview: bool = False,
    fresh: bool = False,
    keep_partial: bool = False,
    isolate: bool = False,
    pipeline: StyleAVideoPipeline | None = None,
    on_progress: Progress | None = None,
    **settings: Any,
) -> StylizeResult:
    """Stylize a video file, GIF, image or folder of images.

    Args:
        video: what to stylize.
        prompt: the style in a sentence, e.g. "Make it an Ukiyo-e painting."
        output: .mp4, .m4v, .mov, .mkv, .webm, .gif, .webp, an image (for one frame), or a folder name for PNGs. Frame
            count, time stamps and sound are the input's. `OUTPUT.json` beside it records how it was made.
        overwrite: replace the output if it exists.
        preview: make only the middle frame, as an image: `output` with the suffix .png.
        fresh: start anew, though an earlier run that was stopped left finished frames; else they are gone on from.
        keep_partial: if this is stopped, make a playable output of the frames that are finished.
        isolate: open the video only in processes of their own, which may hold 3 GB: for files of strangers.
        pipeline: an already loaded model; else `settings["model"]` is loaded.
        on_progress: called with (frames done, frames in all).
        settings: fields of `Settings`.

    Raises:
        InputError: one line that says what is wrong and what to do. Nothing is left half-written.
    """
    plan = plan_job(
        video, prompt, output, overwrite=overwrite, preview=preview, fresh=fresh, keep_partial=keep_partial,
        isolate=isolate, **settings,
    )  # fmt: skip
    return run_job(plan, pipeline, Watcher(on_progress))


def run_job(
    plan: Plan,
    pipeline: StyleAVideoPipeline | None = None,
    watcher: Watcher | None = None,
    cluster: SegmentMaker | None = None,
) -> StylizeResult:
    """Carry out a plan, by the workers of a cluster if there is one.

    Raises InputError as `stylize` does, and `Stopped` where the watcher wants it, which a cluster does not ask.
    """
    watcher = watcher or Watcher()
    pipeline = pipeline or load_pipeline(plan.settings.model)
    settings, info = pipeline.resolve(plan.settings), plan.reader.info
    working = working_size(info, settings.size)
    final = (info.width, info.height) if settings.output_size == "source" else working
    began = time.perf_counter()
    described = describe(plan, settings, pipeline)

    def output_until(end_s: float | None) -> Output:
        return output_for(plan.output, final, info, settings.start_s, end_s)

    def report(done: int) -> None:
        if watcher.on_progress:
            watcher.on_progress(done, max(plan.frame_count, done))

    def finish(journal: Journal, output: Output) -> StylizeResult:
        seconds = time.perf_counter() - began
        source = (info.width, info.height)
        result = StylizeResult(plan.output, plan.record, journal.frames, source, working, final, seconds)
        _finish(plan, output, journal, described | describe_result(result))
        return result

    try:
        recipe = recipe_of(described, info.path, plan.output.suffix.lower())
        with open_journal(plan.output, recipe, plan.fresh) as journal:
            if journal.parts:
                warnings.warn(f"going on after {journal.frames} frames of an earlier run", stacklevel=2)
            output = output_until(settings.end_s)
            try:
                # Without a border all was finished but the last step.
                if not journal.parts or journal.border is not None:
                    task = Recipe(plan.prompt, settings, final, output)
                    frames = _frames(plan, working, journal.frames)
                    if cluster:
                        _have_parts_made(task, frames, cluster, journal, report)
                    else:
                        _make_parts(task, frames, pipeline, journal, report, watcher)
            except Stopped as stopped:
                if journal.parts:
                    stopped.partial = plan.output.with_stem(f"{plan.output.stem}.partial")
                    with atomic_path(stopped.partial) as partial:
                        _join(plan, output_until(_end_s(journal, info)), journal, partial)
                raise
            except BaseException:
                if plan.keep_partial and journal.parts:
                    finish(journal, output_until(_end_s(journal, info)))
                    journal.forget()
                raise
            if not journal.frames:
                raise InputError(f"no frame of {info.path} lies in the chosen span: change --start and --end")
            result = finish(journal, output)
    except (FFmpegError, OSError) as error:
        raise cannot_write(plan.output, error) from error
    if watcher.on_progress:
        watcher.on_progress(result.frames, result.frames)
    return result


def _frames(plan: Plan, size: tuple[int, int], done: int) -> Iterator[VideoFrame]:
    """The inputs of what is not finished: from the last of `done` frames, since when motion is measured."""
    settings = plan.settings
    frames = plan.reader.frames(size, settings.start_s, settings.end_s, skip=max(0, done - 1))
    if plan.preview:
        # The last one seen, should the clip hold fewer than its rate and length promise.
        return iter(deque(islice(frames, plan.frames_in_span // 2 + 1), maxlen=1))
    return frames


def _make_parts(
    task: Recipe,
    frames: Iterator[VideoFrame],
    pipeline: StyleAVideoPipeline,
    journal: Journal,
    report: Callable[[int], None],
    watcher: Watcher,
) -> None:
    """Stylize what is not finished yet, part by part. Raises Stopped where the watcher wants it."""
    done = journal.frames
    refiner = load_refiner() if task.settings.refine else None
    stream = stylized_stream(pipeline, frames, task.prompt, task.settings, refiner, journal.border)
    if done:
        report(done)
    ended = False
    while not ended:
        path, pts, border = journal.next_path(task.output.part_suffix), [], None
        with task.output.part(path, done) as writer:
            for item in stream:
                if isinstance(item, VideoFrame):
                    writer.write(resize_pixels(item.pixels, task.size), item.pts)
                    pts.append(item.pts)
                    done += 1
                    report(done)
                    if watcher.on_frame:
                        watcher.on_frame(item.pixels)
                elif pts and (len(pts) >= (PART_FRAMES if item.is_cut else LONGEST_PART) or watcher.wants_stop()):
                    border = item
                    break
            ended = border is None
        if pts:
            journal.add(Part(path, tuple(pts)), border)
        if not ended and watcher.wants_stop():
            raise Stopped(None)


def _have_parts_made(
    task: Recipe,
    frames: Iterator[VideoFrame],
    cluster: SegmentMaker,
    journal: Journal,
    report: Callable[[int], None],
) -> None:
    """As `_make_parts`, by the workers of a cluster."""
    before = most = journal.frames
    within = journal.border if journal.border and not journal.border.is_cut else None

    def tell(made: int) -> None:
        nonlocal most
        most = max(most, before + made)  # a worker that died counts anew
        report(most)

    held: Made | None = None  # back until it is known whether it is the last
    for made in cluster.made(task, segments(frames, task.settings, before, within is not None), within, tell):
        if held is not None:
            journal.add(held.write(journal.next_path(task.output.part_suffix)), held.border)
        held = made
    if held is not None:
        journal.add(held.write(journal.next_path(task.output.part_suffix)), None)


def _finish(plan: Plan, output: Output, journal: Journal, record: dict[str, Any]) -> None:
    """Join the parts; output and record appear together, when both are written."""
    if not plan.overwrite and (plan.output.exists() or plan.record.exists()):
        raise InputError(f"{plan.output} appeared meanwhile: move it away and run this again, nothing is lost")
    whole = journal.folder / f"whole{plan.output.suffix}"
    _join(plan, output, journal, whole)
    written = journal.folder / "record.json"
    write_atomically(written, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    replace(whole, plan.output)
    replace(written, plan.record)


def _join(plan: Plan, output: Output, journal: Journal, target: Path) -> None:
    if plan.isolate:
        path = plan.reader.info.path
        run_isolated(output.join, journal.parts, target, path=path, longest_s=LONGEST_JOIN_S)
    else:
        output.join(journal.parts, target)


def _end_s(journal: Journal, info: VideoInfo) -> float:
    """Where the finished parts end, in seconds from the first frame."""
    return float(journal.parts[-1].pts[-1] * info.time_base) - info.first_s + float(1 / info.rate)
