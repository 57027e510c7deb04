"""Files that are whole or not there."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image
from av.error import FFmpegError

from ..errors import InputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside, then rename: a stop leaves what was there before, or all of the new.

    Raises InputError when it cannot be written.
    """
    with whole(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` at the end; its suffix is the same. What `write_whole` promises holds here too."""
    # A name of its own: two processes may fill one folder.
    partial = path.with_name(f"{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    except (OSError, FFmpegError) as error:
        raise InputError(
            f"cannot write {path} ({error.strerror}): free some space, or choose another folder"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def png(image: PIL.Image.Image) -> bytes:
    """The picture as a PNG file holds it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
