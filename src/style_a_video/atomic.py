"""A file or folder appears whole, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from av.error import FFmpegError

from .errors import InputError


def partial_path(path: Path) -> Path:
    """A hidden name that nothing else uses, in the folder of `path` and with its suffix.

    It is absolute, so that FFmpeg does not take a colon in it for a protocol. Two processes get two names. Of a long
    name it has the beginning, so that it is not too long where the name itself is not.
    """
    start = path.stem.encode()[:100].decode(errors="ignore")
    return path.absolute().with_name(f".{start}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")


def replace(partial: Path, path: Path) -> None:
    """Move a finished file or folder to its name.

    A folder is replaced by a folder only; it is moved aside first, and comes back if the move fails. Raises
    IsADirectoryError or NotADirectoryError where the two are of different kinds.
    """
    if not path.is_dir():
        partial.replace(path)
        return
    if not partial.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    aside = partial_path(path)
    path.rename(aside)
    try:
        partial.rename(path)
    except OSError:
        aside.rename(path)
        raise
    shutil.rmtree(aside)


def discard(partial: Path) -> None:
    """Remove an unfinished file or folder, if there is one."""
    if partial.is_dir():
        shutil.rmtree(partial)
    elif partial.exists():
        partial.unlink()


def check_writable(folder: Path) -> None:
    """Try to create a file in `folder`, or in the nearest folder above it that exists; nothing is left there.

    Raises InputError when that fails.
    """
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    probe = folder / f".{uuid.uuid4().hex}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write in {folder} ({error.strerror}): choose another folder or change its permissions"
        ) from error


def cannot_write(path: Path, error: OSError | FFmpegError) -> InputError:
    """The one line about a fault while `path` was written, with the remedy for its kind."""
    remedies = {
        errno.ENOSPC: "free some space, or choose another folder",
        errno.EDQUOT: "free some space, or choose another folder",
        errno.ENAMETOOLONG: "give it a shorter name",
        errno.ENOENT: "its folder was removed meanwhile; run it again",
    }
    remedy = remedies.get(error.errno or 0, "choose another folder, or another kind of file")
    return InputError(f"cannot write {path} ({error.strerror}): {remedy}")


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
        # Other files may be read in the block: their faults are not this one's.
        if error.strerror is None or str(error.filename or path) not in map(str, (path, partial, partial.parent)):
            raise
        raise cannot_write(path, error) from error
    finally:
        discard(partial)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to `path`. Raises InputError when it cannot be written."""
    with atomic_path(path) as partial, partial.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Where that cannot be asked for, as on Windows, do nothing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
