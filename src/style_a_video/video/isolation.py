"""Untrusted files, handled in a process of their own: what breaks there, or asks for too much, ends there.

The process may hold 3 GB, and the one that reads writes no files. What it says in a minute it says; else it is ended.
Windows has no such limits; there the process is all.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..errors import InputError
from .reader import VideoFrame, VideoReader

MOST_BYTES = 3 * 2**30
LONGEST_SILENCE_S = 60.0
"""For one picture; joining an output may take an hour."""
LONGEST_JOIN_S = 3600.0


class IsolatedReader(VideoReader):
    """A VideoReader whose files are only opened in a process of their own.

    Raises InputError as VideoReader does, and where the process dies or says nothing for a minute.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info = run_isolated(_probe, str(path), path=self.path, longest_s=LONGEST_SILENCE_S)

    def frames(
        self, size: tuple[int, int] | None = None, start_s: float = 0.0, end_s: float | None = None, skip: int = 0
    ) -> Iterator[VideoFrame]:
        """As of VideoReader."""
        with _process(_read_frames, (str(self.path), size, start_s, end_s, skip)) as pipe:
            while (frame := _answer(pipe, self.path, LONGEST_SILENCE_S)) is not None:
                yield frame


def run_isolated(function: Callable[..., Any], *arguments: Any, path: Path, longest_s: float) -> Any:
    """`function(*arguments)`, all of which can be pickled, in a process of its own.

    Args:
        path: the file that is handled, for messages.
        longest_s: after so many seconds the process is ended.

    Raises:
        InputError: as the function does, and where the process dies or takes too long.
    """
    with _process(_call, (function, *arguments)) as pipe:
        return _answer(pipe, path, longest_s)


def _probe(path: str) -> Any:
    return VideoReader(path).info


@contextmanager
def _process(target: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_limited, args=(theirs, target, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.kill()
        process.join()


def _answer(pipe: Connection, path: Path, longest_s: float) -> Any:
    """The next result; notes are told on the way."""
    while True:
        if not pipe.poll(longest_s):
            raise InputError(f"{path} takes more than {longest_s:.0f} s: export it again, or shorten it")
        try:
            kind, content = pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise InputError(f"{path} makes its reader fail or asks for too much memory: export it again") from error
        if kind == "note":
            warnings.warn(content, stacklevel=2)
        elif kind == "error":
            raise content
        else:
            return content


def _limited(pipe: Connection, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """The process: what its target sends is an answer, what it raises an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal it reaches every process; the first one decides
    warnings.simplefilter("always", UserWarning)

    def tell(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, UserWarning):
            pipe.send(("note", str(message)))

    warnings.showwarning = tell
    _limit("RLIMIT_DATA", MOST_BYTES)
    with suppress(ConnectionError):  # nobody listens any more
        try:
            target(pipe, *arguments)
        except MemoryError:
            pipe.send(("error", InputError("the file asks for too much memory: export it again, smaller")))
        except Exception as error:
            known = isinstance(error, InputError | OSError)
            pipe.send(("error", error if known else InputError(f"the file makes its reader fail ({error})")))


def _read_frames(
    pipe: Connection, path: str, size: tuple[int, int] | None, start_s: float, end_s: float | None, skip: int
) -> None:
    _limit("RLIMIT_FSIZE", 0)
    for frame in VideoReader(path).frames(size, start_s, end_s, skip):
        pipe.send(("result", frame))
    pipe.send(("result", None))


def _call(pipe: Connection, function: Callable[..., Any], *arguments: Any) -> None:
    pipe.send(("result", function(*arguments)))


def _limit(name: str, value: int) -> None:
    if sys.platform != "win32":
        import resource

        with suppress(ValueError, OSError):  # a lower limit holds already
            resource.setrlimit(getattr(resource, name), (value, value))
