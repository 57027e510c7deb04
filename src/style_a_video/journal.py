"""A job that survives: what is finished is on the disk, and the same command goes on from there.

Beside OUTPUT lies the folder `.OUTPUT.job` while a job is under way. It holds the finished parts of the output, the
border at which the next part begins, and `journal.json`, which names them with their checksums and says how they were
made. A part enters the journal when it is safely on the disk.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from .atomic import sync_folder, write_atomically
from .errors import InputError
from .stream.border import Border
from .video.output import Part

PART_FRAMES, LONGEST_PART = 96, 192
"""A part ends at the first cut after so many frames, and at any border after twice as many.

So much is done again at most.
"""
LONGEST_NAME = 100
"""Bytes of the output's name in the folder's."""


@dataclass
class Journal:
    """The finished parts of a job."""

    folder: Path
    recipe: dict[str, Any]
    parts: list[Part] = field(default_factory=list)
    checksums: list[str] = field(default_factory=list)
    border: Border | None = None
    """Where the next part begins."""

    @property
    def frames(self) -> int:
        """How many are finished."""
        return sum(len(part.pts) for part in self.parts)

    def next_path(self, suffix: str) -> Path:
        """Where to write the next part."""
        return self.folder / f"{len(self.parts):05d}{suffix}"

    def add(self, part: Part, border: Border | None) -> None:
        """Keep a part that was written at `next_path`. Raises OSError where it cannot be."""
        _sync(part.path)
        if border is not None:
            border.save(self.folder / f"{len(self.parts):05d}.safetensors")
            _sync(self.folder / f"{len(self.parts):05d}.safetensors")
        parts, checksums = [*self.parts, part], [*self.checksums, checksum(part.path)]
        written = [
            {"name": one.path.name, "pts": one.pts, "sha256": digest}
            for one, digest in zip(parts, checksums, strict=True)
        ]
        entries = {"recipe": self.recipe, "parts": written, "ended": border is None}
        write_atomically(self.folder / "journal.json", json.dumps(entries))
        sync_folder(self.folder)
        self.parts, self.checksums, self.border = parts, checksums, border
        if len(self.parts) > 1:
            (self.folder / f"{len(self.parts) - 2:05d}.safetensors").unlink(missing_ok=True)

    def forget(self) -> None:
        """Drop what is finished: it is used elsewhere."""
        self.parts.clear()
        (self.folder / "journal.json").unlink(missing_ok=True)

    def _read(self) -> None:
        """Take over what an earlier run finished, as far as it is sound."""
        path = self.folder / "journal.json"
        if not path.is_file():
            return
        try:
            written = json.loads(path.read_text(encoding="utf-8"))
            kept: dict[str, Any] = written["recipe"]
            parts = [Part(self.folder / one["name"], tuple(one["pts"])) for one in written["parts"]]
            checksums = [str(one["sha256"]) for one in written["parts"]]
            sound = all(checksum(part.path) == digest for part, digest in zip(parts, checksums, strict=True))
            goes_on = sound and not written["ended"]
            border = Border.load(self.folder / f"{len(parts) - 1:05d}.safetensors") if goes_on else None
        except FileNotFoundError:
            sound = False
        except OSError as error:
            raise InputError(
                f"cannot read {self.folder} ({error.strerror}): try again, or --fresh to start anew"
            ) from error
        except (ValueError, KeyError, TypeError, SafetensorError):
            sound = False
        if not sound:
            warnings.warn(f"{self.folder} is damaged, so the job starts anew", stacklevel=2)
            return
        if kept != self.recipe:
            raise InputError(
                f"{self.folder} holds {sum(len(part.pts) for part in parts)} frames that were made in another way "
                f"({_difference(kept, self.recipe)}): give what they were made with, or --fresh to start anew"
            )
        self.parts, self.checksums, self.border = parts, checksums, border

    def _clean(self) -> None:
        """Remove what a dead job left that is not in the journal."""
        named = {part.path.name for part in self.parts} | {f"{len(self.parts) - 1:05d}.safetensors"}
        named |= {"journal.json"} if self.parts else set()
        for path in self.folder.iterdir():
            if path.name not in named:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def open_journal(output: Path, recipe: dict[str, Any], fresh: bool = False) -> Iterator[Journal]:
    """The journal of a job, with what an earlier run of it finished. It is gone when the block ends well.

    After an error what is finished stays, and a note says so; nothing stays where nothing was finished.

    Args:
        recipe: all that the frames depend on, as JSON can hold it.
        fresh: start anew.

    Raises:
        InputError: another run works on this output, or what is finished was made by another recipe.
    """
    folder = folder_of(output)
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_lock_of(folder), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"another run is making {output}: wait for it, or give another output") from error
    journal = Journal(folder, json.loads(json.dumps(recipe)))
    try:
        if fresh and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(exist_ok=True)
        journal._read()
        journal._clean()
        yield journal
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        if journal.parts:
            warnings.warn(
                f"{journal.frames} frames are kept: the same command goes on from there; with --fresh it starts anew",
                stacklevel=2,
            )
        elif not (folder / "journal.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.release()


def folder_of(output: Path) -> Path:
    """The folder of a job's journal, beside its output."""
    name = output.name
    if len(name.encode()) > LONGEST_NAME:
        start = name.encode()[:LONGEST_NAME].decode(errors="ignore")
        name = f"{start}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return output.absolute().with_name(f".{name}.job")


def _lock_of(folder: Path) -> Path:
    """The lock of a journal's folder: among this person's temporary files, since removing a lock would break it."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"style-a-video-{getpass.getuser()}-{digest}.lock"


def checksum(path: Path) -> str:
    """SHA-256 of a part, a file or a folder of images."""
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's files, are on the disk and not only on their way to it."""
    for file in path.iterdir() if path.is_dir() else [path]:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())


def _difference(kept: Any, asked: Any, name: str = "") -> str:
    """The first entry in which two recipes differ, in words."""
    if isinstance(kept, dict) and isinstance(asked, dict):
        for key in [*kept, *asked]:
            if kept.get(key) != asked.get(key):
                return _difference(kept.get(key), asked.get(key), key)
    return f"{name} was {kept}, is {asked}"
