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
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from .batch import OneModel, Outcome, Row, outcome_of
from .dependencies import require_extra
from .errors import InputError
from .frames import resize_pixels
from .segments import Made, Recipe, Segment
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

    def make(self, recipe: Recipe, segment: Segment) -> Made:
        """Make a segment. Raises InputError as `stylized_stream` does."""
        from .models import load_refiner
        from .stream import stylized_stream
        from .stream.border import Border

        settings = recipe.settings
        border = Border(segment.made_from)
        refiner = load_refiner() if settings.refine else None
        stream = stylized_stream(
            self._load(settings.model), iter(segment.frames), recipe.prompt, settings, refiner, border
        )
        made = (item for item in stream if isinstance(item, VideoFrame))
        wanted = islice(made, segment.begin - segment.made_from, segment.end - segment.made_from)
        with tempfile.TemporaryDirectory() as folder:
            path, pts = Path(folder) / f"part{recipe.output.part_suffix}", []
            with recipe.output.part(path, segment.begin) as writer:
                for frame in wanted:
                    writer.write(resize_pixels(frame.pixels, recipe.size), frame.pts)
                    pts.append(frame.pts)
                    self._done += 1
            files = (
                {"": path.read_bytes()} if path.is_file() else {one.name: one.read_bytes() for one in path.iterdir()}
            )
        return Made(segment.end, segment.ends_at_cut, files, tuple(pts))

    def make_row(self, row: Row, overwrite: bool, fresh: bool) -> Outcome:
        """Make a row of a batch, whose files this machine sees."""
        return outcome_of(row, overwrite, fresh, self._load)


class Cluster:
    """Workers that wait for segments and rows."""

    def __init__(self, ray: Any, workers: Sequence[Any]) -> None:
        self.ray, self.workers = ray, workers

    def made(
        self, recipe: Recipe, segments: Iterable[Segment], on_frames: Callable[[int], None] | None = None
    ) -> Iterator[Made]:
        """The segments, made, in their order.

        Two for every worker are under way at a time. Segments that wait for an earlier one are held, as compressed
        video. Ray keeps their inputs, and hands them to another worker where one dies.

        Args:
            on_frames: called now and then with the number of frames made in all.
        """
        given = self.ray.put(recipe)
        return self._results((("make", (given, segment)) for segment in segments), on_frames)

    def rows(self, rows: Iterable[Row], overwrite: bool, fresh: bool) -> Iterator[Outcome]:
        """The outcomes of a batch's rows, in their order."""
        return self._results(("make_row", (row, overwrite, fresh)) for row in rows)

    def _results(
        self, tasks: Iterable[tuple[str, tuple[Any, ...]]], on_frames: Callable[[int], None] | None = None
    ) -> Iterator[Any]:
        waiting: deque[Any] = deque()
        load = dict.fromkeys(range(len(self.workers)), 0)
        worker_of: dict[Any, int] = {}
        upcoming = iter(tasks)
        exhausted = False
        while waiting or not exhausted:
            while not exhausted and min(load.values()) < 2:
                task = next(upcoming, None)
                if task is None:
                    exhausted = True
                    break
                idle = min(load, key=lambda worker: load[worker])
                result = getattr(self.workers[idle], task[0]).remote(*task[1])
                load[idle] += 1
                worker_of[result] = idle
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
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
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
