"""Pictures out of packages: Qt's resource files, paintings cut into pieces, and what is said where there is none."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from style_a_video.errors import InputError
from style_a_video.training import material
from style_a_video.training.material import Material, resources


def resource_file(files: dict[str, bytes], compressed: bool) -> bytes:
    """A .rcc of one folder, written from the format's description."""
    names, data, nodes = b"", b"", []

    def name(text: str) -> int:
        nonlocal names
        at = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
        return at

    folder = name("folder")
    for file, content in files.items():
        stored = struct.pack(">I", len(content)) + zlib.compress(content) if compressed else content
        nodes.append(struct.pack(">IHHHIQ", name(file), int(compressed), 0, 0, len(data), 0))
        data += struct.pack(">I", len(stored)) + stored
    root = struct.pack(">IHIIQ", 0, 2, 1, 1, 0)
    inner = struct.pack(">IHIIQ", folder, 2, len(files), 2, 0)
    tree = root + inner + b"".join(nodes)
    return struct.pack(">4sIIII", b"qres", 2, 20, 20 + len(tree), 20 + len(tree) + len(data)) + tree + data + names


@pytest.mark.parametrize("compressed", [False, True])
def test_qts_resource_files_are_read(compressed: bool) -> None:
    files = {"a.webp": b"first", "bé.qml": b"second" * 40}
    found = dict(resources(resource_file(files, compressed)))
    assert found == {f"folder/{name}": content for name, content in files.items()}
    with pytest.raises(ValueError, match="not a Qt resource file"):
        list(resources(b"PK\x03\x04" + bytes(20)))


def test_a_painting_is_joined_from_its_pieces() -> None:
    picture = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8))
    width, height = material.BOARD
    pieces = []
    for left in (0, 30, 60):
        for top in (0, 30):
            piece = picture.crop((left, top, left + 30, top + 30))
            pieces.append((piece, (200 + left + 15) / width, (100 + top + 15) / height))
    np.testing.assert_array_equal(np.asarray(material._joined(pieces)), np.asarray(picture))


def test_every_kind_is_listed_and_twenty_photographs_are_kept_out(tmp_path: Path) -> None:
    for name in ("photographs/erase-kitten.png", "photographs/erase-bee.png", "paintings/van gogh/Gogh4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (4, 3), "red").save(tmp_path / name)
    (tmp_path / "sources.json").write_text(json.dumps({}))
    found = Material(tmp_path)
    assert [path.stem for path in found.photographs()] == ["erase-bee"]
    assert [path.stem for path in found.photographs(held_out=True)] == ["erase-kitten"]
    assert found.paintings("van gogh") == ("paintings/van gogh/Gogh4.png",)
    np.testing.assert_array_equal(found.read(found.photographs()[0])[0, 0], [1, 0, 0])
    assert len(set(material.HELD_OUT_PHOTOGRAPHS)) == 20


def test_what_is_missing_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="train material"):
        Material(tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(InputError, match="run this on Debian"):
        material.fetch(tmp_path / "new")
    assert not (tmp_path / "new").exists()
