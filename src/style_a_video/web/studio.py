"""What the page does when a button is pressed, apart from how it looks."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch

from ..atomic import write_atomically
from ..devices import threads
from ..errors import InputError
from ..frames import Pixels
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..stream import stylized_frames
from ..video import VideoFrame, working_size
from .limits import Limits
from .sessions import Sessions
from .work import Step, Work

LAST = "last_job.json"


@dataclass(frozen=True)
class Job:
    """What a browser asked for, as it is kept until it comes back."""

    video: str
    prompt: str
    output: str
    settings: dict[str, Any]
    playable: str | None = None
    """The finished file, or the part of it that is finished."""
    finished: bool = False


class Studio:
    """Jobs of many browsers on one model.

    Args:
        pipeline: the model.
        sessions: the browsers' folders.
        limits: of clips.
    """

    def __init__(self, pipeline: StyleAVideoPipeline, sessions: Sessions, limits: Limits) -> None:
        self.pipeline, self.sessions, self.limits = pipeline, sessions, limits
        self._works: dict[str, Work] = {}
        self._model, self._threads = threading.Lock(), torch.get_num_threads()

    @contextmanager
    def model(self, wait: bool = True) -> Iterator[bool]:
        """The model for one thread alone. Without `wait` it may be in use; this yields whether it is had."""
        had = self._model.acquire(blocking=wait)
        try:
            with threads(self._threads):
                yield had
        finally:
            if had:
                self._model.release()

    def preview(self, session: str, video: str | None, prompt: str, settings: dict[str, Any]) -> tuple[Pixels, Pixels]:
        """The clip's middle frame and the same stylized, (H, W, 3) uint8 RGB. Raises InputError as a job does."""
        path = self._own(session, video)
        reader = self.limits.opened(path)
        chosen = Settings(**self._settings(session, settings))
        size = working_size(reader.info, self.pipeline.resolve(chosen).size)
        # Of a clip that holds less than it says, the first.
        frame = next(reader.frames(size, start_s=reader.info.duration_s / 2 - 1e-6), None) or next(reader.frames(size))
        with self.model():
            stylized = next(stylized_frames(self.pipeline, iter([VideoFrame(frame.pixels, 0)]), prompt, chosen))
        return frame.pixels, stylized.pixels

    def start(self, session: str, video: str | None, prompt: str, settings: dict[str, Any]) -> Iterator[Step]:
        """A new job. Raises InputError, in words."""
        path = self._own(session, video)
        self.limits.opened(path)
        settings = self._settings(session, settings)
        folder = self.sessions.folder(session) / secrets.token_hex(4)
        folder.mkdir()
        job = Job(str(path), prompt, str(folder / f"{path.stem[:40]}-styled.mp4"), settings)
        yield from self._run(session, job)

    def go_on(self, session: str) -> Iterator[Step]:
        """The last job, from where it was stopped. Raises InputError where there is none."""
        job = self.last(session)
        if job is None or job.finished:
            raise InputError("there is nothing to go on with: start a new one")
        yield from self._run(session, job)

    def stop(self, session: str) -> None:
        """Stop the browser's job; what is finished stays."""
        if work := self._works.get(session):
            work.stop()

    def last(self, session: str) -> Job | None:
        """The browser's last job."""
        try:
            return Job(**json.loads((self.sessions.folder(session) / LAST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _run(self, session: str, job: Job) -> Iterator[Step]:
        def keep(last: Step) -> None:
            newest = self.last(session)
            if newest and newest.output == job.output:  # a job whose page was closed may end after the next began
                playable = str(last.output) if last.output else None
                self._keep(session, replace(job, playable=playable, finished=not last.stopped))

        work = Work(self.pipeline, self.model, Path(job.video), job.prompt, Path(job.output), keep, **job.settings)
        self._keep(session, job)
        self._works[session] = work
        try:
            yield from work.steps()
        finally:
            if self._works.get(session) is work:
                del self._works[session]

    def _keep(self, session: str, job: Job) -> None:
        write_atomically(self.sessions.folder(session) / LAST, json.dumps(asdict(job)))

    def _own(self, session: str, video: str | None) -> Path:
        if not video:
            raise InputError("there is no clip yet: drop one, record one, or take the example")
        if not self.sessions.may_see(video, session):
            raise InputError("this clip is not here any more: drop it again")
        return Path(video)

    def _settings(self, session: str, given: dict[str, Any]) -> dict[str, Any]:
        """Settings, checked, whose style picture is a file of the browser's own."""
        settings = dict(given)
        if (picture := settings.get("style_image")) is not None:
            pixels = np.asarray(picture.convert("RGB"))
            path = self.sessions.folder(session) / f"style-{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}.png"
            PIL.Image.fromarray(pixels).save(path)
            settings["style_image"] = str(path)
        if (settings.get("size") or 0) > self.limits.side:
            raise InputError(f"size is {settings['size']}: {self.limits.side} is the most here")
        Settings(**settings)
        return settings
