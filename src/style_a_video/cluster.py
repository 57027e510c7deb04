"""Many machines: the segments of a job, or the rows of a batch, as tasks of Ray.

Every worker loads a model once. The machine that gives out the work reads the input, sends frames and keeps what is
finished in the job's journal, so workers need to see no files, and a job that is stopped goes on where it was. Where a
worker or its machine dies, Ray has its segments made again by another.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from .batch import OneModel, Outcome, Row, outcome_of
from .dependencies import require_extra
from .errors import InputError
from .frames import resize_pixels
from .segments import Made, Recipe, Segment
from .stream.border import Border
from .video import VideoFrame

WORKER_BYTES = 2 * 2**30
"""Memory that a worker with the bundled model needs at most."""
POLL_S = 0.5
ANSWERS_WITHIN_S = 10.0


class Worker:
    """What runs on a machine of the cluster, with one model in memory."""

    def __init__(self) -> None:
        self._load = OneModel()
        self._done = 0

    def frames_done(self) -> int:
        """Frames made so far."""
        return self._done

    def process_id(self) -> int:
        """Of this worker on its machine."""
        return os.getpid()

    def make(self, recipe: Recipe, segment: Segment, before: Made | Border | None = None) -> Made:
        """Make a segment. Raises InputError as `stylized_stream` does.

        Args:
            before: the segment before, or the border after it, for one that goes on within a shot.
        """
        from .models import load_refiner
        from .stream import stylized_stream

        settings = recipe.settings
        begun = before.border if isinstance(before, Made) else before or Border(segment.begin, is_cut=True)
        stream = stylized_stream(
            self._load(settings.model), iter(segment.frames), recipe.prompt, settings,
            load_refiner() if settings.refine else None, begun,
        )  # fmt: skip
        border = Border(segment.end, is_cut=True)
        with tempfile.TemporaryDirectory() as folder:
            path, pts = Path(folder) / f"part{recipe.output.part_suffix}", []
            with recipe.output.part(path, segment.begin) as writer:
                for item in stream:
                    if isinstance(item, VideoFrame):
                        writer.write(resize_pixels(item.pixels, recipe.size), item.pts)
                        pts.append(item.pts)
                        self._done += 1
                    elif item.index == segment.end:
                        border = item
                        break
            files = (
                {"": path.read_bytes()} if path.is_file() else {one.name: one.read_bytes() for one in path.iterdir()}
            )
        return Made(border, files, tuple(pts))

    def make_row(self, row: Row, overwrite: bool, fresh: bool) -> Outcome:
        """Make a row of a batch, whose files this machine sees."""
        return outcome_of(row, overwrite, fresh, self._load)


@dataclass(frozen=True)
class Task:
    """A call of a worker's method."""

    method: str
    arguments: tuple[Any, ...]
    follows: bool = False
    """Whether the result of the task before is its last argument; the same worker makes both."""


class Cluster:
    """Workers that wait for segments and rows."""

    def __init__(self, ray: Any, workers: Sequence[Any]) -> None:
        self.ray, self.workers = ray, workers

    def made(
        self,
        recipe: Recipe,
        segments: Iterable[Segment],
        begun: Border | None = None,
        on_frames: Callable[[int], None] | None = None,
    ) -> Iterator[Made]:
        """As of `SegmentMaker`.

        Two for every worker are under way at a time. Segments that wait for an earlier one are held, as compressed
        video. Ray keeps their inputs, and hands them to another worker where one dies.
        """
        given = self.ray.put(recipe)

        def tasks() -> Iterator[Task]:
            border = begun
            for segment in segments:
                yield Task(
                    "make", (given, segment, border) if border else (given, segment), segment.goes_on and not border
                )
                border = None

        return self._results(tasks(), on_frames)

    def rows(self, rows: Iterable[Row], overwrite: bool, fresh: bool) -> Iterator[Outcome]:
        """The outcomes of a batch's rows, in their order."""
        return self._results(Task("make_row", (row, overwrite, fresh)) for row in rows)

    def _results(self, tasks: Iterator[Task], on_frames: Callable[[int], None] | None = None) -> Iterator[Any]:
        waiting: deque[Any] = deque()
        load = dict.fromkeys(range(len(self.workers)), 0)
        worker_of: dict[Any, int] = {}
        last: tuple[Any, int] | None = None  # the newest result, and who makes it
        exhausted = False
        while waiting or not exhausted:
            while not exhausted and len(worker_of) < 2 * len(self.workers):
                task = next(tasks, None)
                if task is None:
                    exhausted = True
                    break
                arguments, worker = task.arguments, min(load, key=lambda one: load[one])
                if task.follows and last is not None:
                    arguments, worker = (*arguments, last[0]), last[1]
                result = getattr(self.workers[worker], task.method).remote(*arguments)
                load[worker] += 1
                worker_of[result], last = worker, (result, worker)
                waiting.append(result)
            if not waiting:
                return
            ended, _ = self.ray.wait(list(worker_of), num_returns=1, timeout=POLL_S) if worker_of else ([], [])
            for result in ended:
                load[worker_of.pop(result)] -= 1
            if on_frames:
                on_frames(self._frames_done())
            while waiting and waiting[0] not in worker_of:
                yield self._get(waiting.popleft())

    def _frames_done(self) -> int:
        """Frames made by all workers; one that has died and comes back counts from 0."""
        asked = [worker.frames_done.options(concurrency_group="progress").remote() for worker in self.workers]
        answered, _ = self.ray.wait(asked, num_returns=len(asked), timeout=POLL_S)
        done = 0
        for answer in answered:
            try:
                done += self.ray.get(answer)
            except self.ray.exceptions.RayError:
                continue
        return done

    def _get(self, result: Any) -> Any:
        try:
            return self.ray.get(result)
        except self.ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, Exception) else InputError(str(error).splitlines()[-1])) from None
        except self.ray.exceptions.RayError as error:
            raise InputError(
                f"the cluster failed ({str(error).splitlines()[0]}): run this again, it goes on"
            ) from error


def _check_answers(address: str) -> None:
    """Raises InputError where nothing answers within seconds: Ray itself would wait for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), ANSWERS_WITHIN_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"no cluster at {address} ({error}): start one with `ray start --head`, or give local"
        ) from error


@contextmanager
def open_cluster(address: str, workers: int | None = None) -> Iterator[Cluster]:
    """Workers on every GPU of a cluster, or without GPUs on every CPU that has memory for one.

    Args:
        address: "local" for this machine alone, "auto" for the Ray that runs on it, or ray://HOST:10001.
        workers: how many, at most.

    Raises:
        InputError: Ray is not installed, or nothing answers at the address.
    """
    require_extra("cluster", "--cluster")
    ray: Any = import_module("ray")

    if ":" in address:
        _check_answers(address)
    try:
        # A Ray of one's own on this machine, or one that is there; neither needs its web page.
        options: dict[str, Any] = {"include_dashboard": False} if address == "local" else {"address": address}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"no cluster at {address} ({reason}): start one with `ray start --head`, or give local"
        ) from error
    # Ray prints what dies, and that it is tried again, to standard output, which is the command's own.
    import_module("ray._private.worker").print_to_stdstream = lambda *_, **__: None  # type: ignore[attr-defined]
    try:
        resources = ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        count = gpus or max(1, min(cpus, int(resources.get("memory", WORKER_BYTES)) // WORKER_BYTES))
        # Tasks of a worker that dies are given out again. How far one is, a thread of its own answers.
        actor = ray.remote(concurrency_groups={"progress": 1})(Worker).options(
            num_gpus=1 if gpus else 0, num_cpus=1, max_restarts=-1, max_task_retries=-1
        )
        yield Cluster(ray, [actor.remote() for _ in range(min(count, workers or count))])
    finally:
        ray.shutdown()
