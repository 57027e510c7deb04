"""A job of the page: made in a thread, watched by the page, stopped and gone on with."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import cv2
import numpy as np

from ..atomic import write_atomically
from ..errors import InputError
from ..frames import Pixels
from ..job import Stopped, Watcher, run_job
from ..pipeline import StyleAVideoPipeline
from ..plan import plan_job

SHOWN_EVERY_S = 0.4
"""Seconds between the pictures that the page gets while a job works."""
TELLING = 8
"""Frames after which a rate can be told: they come in batches."""


def as_data_uri(pixels: Pixels) -> str:
    """A picture (H, W, 3) uint8 RGB as text that a page can show, without a file."""
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode()


@dataclass(frozen=True)
class Step:
    """What the page is told of a job."""

    done: int
    total: int
    rate: float
    """Frames a second; 0 where too few are done to tell."""
    picture: Pixels | None = None
    output: Path | None = None
    """The finished file, or where the job was stopped, the part of it that is finished."""
    stopped: bool = False


class Work:
    """One job, which runs from `steps` until its end or `stop`.

    `model` opens for one thread at a time. `on_end` is called with the last step, also where nobody asks for steps any
    more. Raises InputError as `plan_job`.
    """

    def __init__(
        self, pipeline: StyleAVideoPipeline, model: Callable[[], AbstractContextManager[Any]], video: Path, prompt: str,
        output: Path, on_end: Callable[[Step], None], **settings: Any,
    ) -> None:  # fmt: skip
        self.pipeline, self.model, self.on_end = pipeline, model, on_end
        self.plan = plan_job(video, prompt, output, overwrite=True, isolate=True, **settings)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask it to end with the next keyframe."""
        self._stop.set()

    def steps(self) -> Iterator[Step]:
        """What happens, as it happens. Raises InputError as the job does."""
        news: Queue[Any] = Queue()
        self._began, self._before = time.monotonic(), -1
        latest: list[Pixels] = []

        def tell(done: int, total: int) -> None:
            news.put(self._step(done, total, latest[-1] if latest else None))

        def keep(pixels: Pixels) -> None:
            latest[:] = [pixels]

        def run() -> None:
            try:
                try:
                    with self.model():
                        result = run_job(self.plan, self.pipeline, Watcher(tell, keep, self._stop.is_set))
                    _name_files_only(result.record)
                    last = Step(result.frames, result.frames, 0.0, output=result.output)
                except Stopped as stopped:
                    last = Step(0, 0, 0.0, output=stopped.partial, stopped=True)
                self.on_end(last)
                news.put(last)
            except BaseException as error:
                news.put(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            yield from _newest(news)
        finally:
            # The page may be closed: what is finished stays. Gradio closes this in its event loop, so nothing waits.
            self._stop.set()

    def _step(self, done: int, total: int, picture: Pixels | None) -> Step:
        if self._before < 0:
            self._before = done - 1  # what an earlier run made is not counted
        made = done - self._before
        rate = made / (time.monotonic() - self._began) if made >= TELLING else 0.0
        return Step(done, total, rate, None if picture is None else np.asarray(picture))


def _name_files_only(record: Path) -> None:
    """Take this machine's folders out of a record, which people pass on."""
    told = json.loads(record.read_text(encoding="utf-8"))
    told["input"] = Path(told["input"]).name
    for settings in (told["requested"], told["settings"]):
        for name in ("style_image", "model"):
            if settings[name] and Path(settings[name]).exists():
                settings[name] = Path(settings[name]).name
    write_atomically(record, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _newest(news: Queue[Any]) -> Iterator[Step]:
    """The newest step now and then, and the last one in any case."""
    last: Step | None = None
    while True:
        time.sleep(SHOWN_EVERY_S if last else 0)
        item = news.get()
        try:
            while True:
                if isinstance(item, BaseException) or item.output or item.stopped:
                    break
                item = news.get_nowait()
        except Empty:
            pass
        if isinstance(item, InputError):
            raise item
        if isinstance(item, BaseException):
            raise RuntimeError("the job failed") from item
        last = item
        yield item
        if item.output or item.stopped:
            return
