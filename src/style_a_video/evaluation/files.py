"""Files that are whole or not there."""

from __future__ import annotations

import io
import os
from pathlib import Path

import PIL.Image

from ..errors import InputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside, then rename: a stop leaves what was there before, or all of the new.

    Raises InputError when it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
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
