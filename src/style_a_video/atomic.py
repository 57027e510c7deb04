"""A file or folder appears whole, or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.error import FFmpegError

from .errors import InputError


def partial_path(path: Path) -> Path:
    """A hidden name of its own beside `path`, with the same suffix.

    It is absolute, so that FFmpeg does not take a colon in it for a protocol. Two processes get two names.
    """
    return path.absolute().with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")


def replace(partial: Path, path: Path) -> None:
    """Move a finished file or folder to its name; a folder there is removed first."""
    if path.is_dir():
        shutil.rmtree(path)
    partial.replace(path)


def discard(partial: Path) -> None:
    """Remove an unfinished file or folder, if there is one."""
    if partial.is_dir():
        shutil.rmtree(partial)
    elif partial.exists():
        partial.unlink()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` when the block ends. After an error, what was at `path` before is still there.

    Raises InputError when it cannot be written.
    """
    partial = partial_path(path)
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield partial
        replace(partial, path)
    except (OSError, FFmpegError) as error:
        message = f"cannot write {path} ({error.strerror}): free some space, or choose another folder"
        raise InputError(message) from error
    finally:
        discard(partial)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to `path`. Raises InputError when it cannot be written."""
    with atomic_path(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
