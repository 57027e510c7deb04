"""Files that are whole or not there."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image

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
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(
            f"cannot write {path} ({error.strerror}): free some space, or choose another folder"
        ) from error


def png(image: PIL.Image.Image) -> bytes:
    """The picture as a PNG file holds it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
