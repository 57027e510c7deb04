"""Free pictures to train on, from packages of the Debian archive: photographs, cut-outs and old paintings.

None of them is part of this project. `fetch` downloads the packages with apt, takes the pictures out, and keeps each
package's copyright file beside them.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..atomic import atomic_path
from ..errors import InputError

Image = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""
PHOTOGRAPH_SIDE, CUTOUT_SIDE = 512, 320
"""Longest short side of a kept photograph, longest side of a kept cut-out, in pixels."""


@dataclass(frozen=True)
class Source:
    """A Debian package and what is taken from it."""

    package: str
    photographs: str = ""
    """A regular expression of the paths, inside the package or inside its Qt resource files, that are photographs."""
    cutouts: str = ""
    """The same for pictures on a transparent ground."""


_OPENCV = (
    "aero1|aloeL|apple|baboon|basketball1|board|box_in_scene|building|butterfly|chicky_512|ela_original|fruits|graf1"
    "|home|leuvenA|left|licenseplate_motion|messi5|orange|rubberwhale1|smarties|squirrel_cls|stuff|scenetext0[1-6]"
    "|00[012]"
)
_PLASMA = (
    "BytheWater|DarkestHour|ColorfulCups|EveningGlow|FallenLeaf|Grey|Kite|Path|Autumn|Canopee|ColdRipple|SafeLanding"
    "|summer_1am|OneStandsOut"
)
SOURCES = (
    Source(
        "gcompris-qt-data",
        photographs="(erase|explore_(monuments|farm_animals|world_animals|world_music))/.*\\.webp"
        "|clickgame/.*sea[0-9]\\.webp|louis-braille/.*(braille|fireplace|rnib|statue|teach|workshop)\\.webp"
        "|categorization/.*(monuments/.*|others/(?!bulb|numbers|pencil|erasers).*|fish1?[0-9]|hammer[1-4]|scissors[1-4]"
        "|multimeter1|spray|dam[0-9]|solar[1-4]|windmill[0-9]*)\\.webp"
        "|details/(?!.*(Gogh|Auvers|Tanguy)).*_background\\.webp",
    ),
    Source("opencv-doc", photographs=f"examples/.*/({_OPENCV})\\.(jpg|png)"),
    Source(
        "tuxpaint-stamps-default",
        cutouts="stamps/(animals|food|plants|vehicles|hobbies|household|sports|space|people|town/(?!flags|roadsigns))"
        "(?!.*cartoon).*\\.png",
    ),
    Source(
        "plasma-workspace-wallpapers",
        photographs=f"/({_PLASMA})/contents/images/1680x1050.*|/ColorfulCups/.*2560x1600.*",
    ),
    Source("mate-backgrounds", photographs="mate/nature/(?!Wood).*\\.jpg|Elephants\\.jpg"),
    Source("lomiri-wallpapers-16.04", photographs="backgrounds/(?!free|analog|umang).*\\.jpg"),
    Source("lomiri-wallpapers-20.04", photographs="backgrounds/(Kleiber|Infinite).*\\.jpg"),
)

PAINTINGS = {
    "oil painting": (
        "AlbrechtDurer", "Arcimboldo_Librarian", "Arcimboldo_Spring", "MonaLisa", "PieterBruegel",
    ),
    "van gogh": (
        "gogh_auvert", "Gogh4", "Eglise_dAuvers-sur-Oise", "PortraitOfPereTanguy", "Van_Gogh_The_Night_Cafe",
        "VincentVanGogh0012", "VincentVanGogh0013", "VincentVanGogh0019", "starry_night",
    ),
    "impressionism": ("bazille_rampart", "cassat_summertime", "renoir-filles_piano", "renoir-moulin_de_la_galette"),
    "ukiyo-e": (
        "EjiriSuruga", "GreatWave", "HiroshigeHorsePrawns", "HiroshigeInokashiraSnow", "HokusaiOiranKamuro",
        "HokusaiPoppies", "HokusaiWomanHoldingFan", "KazusaSeaRoute",
    ),
}  # fmt: skip
"""By medium, the paintings that it is imitated from. Their files in the packages begin with these names."""
HELD_OUT_PAINTINGS = ("VincentVanGoghBridge", "HokusaiBridge", "PalaDiPesaro", "Michelangelo_Pieta", "kandinky")
"""Kept for trying style pictures that training never saw."""
HELD_OUT_PHOTOGRAPHS = (
    "animals-horse", "animals-scarlet_macaw", "erase-kitten", "erase-red_panda", "fishes-fish10", "music-japan",
    "data-messi5", "louis-braille-fireplace", "backgrounds-friends_by_Aitzol_Berasategi", "details-NDP_background",
    "data-building", "data-home", "text-scenetext06", "usa-castleClinton", "france-pontduGard", "wonders-petra",
    "nature-YellowFlower", "renewable-windmill2", "summer_1am-1680x1050", "others-cup",
)  # fmt: skip
"""Twenty photographs that training never sees, for measuring."""
BOARD = (702, 515)
"""Width and height in pixels that the places of a painting's pieces are shares of."""


def fetch(folder: Path) -> None:
    """Fill `folder` with photographs/, cutouts/, paintings/, licences/ and sources.json. What is there is kept.

    Raises InputError where apt and dpkg are missing or a package cannot be had.
    """
    for tool in ("apt-get", "dpkg-deb", "dpkg-query"):
        if shutil.which(tool) is None:
            raise InputError(f"{tool} is not here: the pictures come from Debian packages, so run this on Debian")
    folder.mkdir(parents=True, exist_ok=True)
    record_path = folder / "sources.json"
    record: dict[str, dict[str, object]] = json.loads(record_path.read_text()) if record_path.exists() else {}
    for source in SOURCES:
        if source.package not in record:
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                record[source.package] = _take(source, folder, Path(scratch))
            with atomic_path(record_path) as partial:
                partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _take(source: Source, folder: Path, scratch: Path) -> dict[str, object]:
    """Download one package, keep its pictures and its copyright file, and return its version and their names."""
    got = subprocess.run(["apt-get", "download", source.package], cwd=scratch, capture_output=True, text=True)
    archives = list(scratch.glob("*.deb"))
    if got.returncode or not archives:
        reason = (got.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"apt-get could not download {source.package} ({reason}): run apt-get update, then again")
    subprocess.run(["dpkg-deb", "-x", archives[0], scratch / "tree"], check=True)
    (folder / "licences").mkdir(exist_ok=True)
    for notice in (scratch / "tree").glob(f"usr/share/doc/{source.package}/copyright"):
        shutil.copyfile(notice, folder / "licences" / f"{source.package}.txt")
    files = dict(_files(scratch / "tree"))
    kept = []
    for path in sorted(files):
        for pattern, kind in ((source.photographs, "photographs"), (source.cutouts, "cutouts")):
            if pattern and re.search(f"(?:{pattern})$", path):
                kept.append(_keep(files[path], folder / kind, _name_of(path), kind == "cutouts"))
    kept += _paintings(files, folder / "paintings")
    return {"archive": archives[0].name, "pictures": kept}


def _files(tree: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of every picture and board of a package, those inside its Qt resource files too."""
    for path in sorted(tree.rglob("*")):
        if path.suffix == ".rcc":
            for inner, content in resources(path.read_bytes()):
                if PurePosixPath(inner).suffix in (".webp", ".qml"):
                    yield inner, content
        elif path.suffix in (".jpg", ".png", ".webp") and path.is_file():
            yield path.relative_to(tree).as_posix(), path.read_bytes()


def resources(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and content of the files in a Qt resource file (.rcc): a tree of nodes, their names, their data."""
    if blob[:4] != b"qres":
        raise ValueError("this is not a Qt resource file")
    version, tree, data, names = struct.unpack_from(">4I", blob, 4)
    node_size = 22 if version >= 2 else 14

    def walk(node: int, path: str) -> Iterator[tuple[str, bytes]]:
        name_at, flags = struct.unpack_from(">IH", blob, tree + node * node_size)
        if node:
            (length,) = struct.unpack_from(">H", blob, names + name_at)
            path += blob[names + name_at + 6 : names + name_at + 6 + 2 * length].decode("utf-16-be")
        if flags & 2:
            count, first = struct.unpack_from(">II", blob, tree + node * node_size + 6)
            for child in range(first, first + count):
                yield from walk(child, f"{path}/" if path else "")
        elif not flags & 4:  # Zstandard, which none of the pictures uses
            (at,) = struct.unpack_from(">I", blob, tree + node * node_size + 10)
            (length,) = struct.unpack_from(">I", blob, data + at)
            content = blob[data + at + 4 : data + at + 4 + length]
            yield path, zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


def _name_of(path: str) -> str:
    """A file name that tells where in the package it was, e.g. "erase-alpaca"."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("resource", "image", "images", "contents")]
    return "-".join([parts[-2], PurePosixPath(path).stem])


def _keep(content: bytes, folder: Path, name: str, transparent: bool) -> str:
    from io import BytesIO

    folder.mkdir(exist_ok=True)
    picture = Pillow.open(BytesIO(content)).convert("RGBA" if transparent else "RGB")
    largest = CUTOUT_SIDE / max(picture.size) if transparent else PHOTOGRAPH_SIDE / min(picture.size)
    width, height = (round(side * min(1.0, largest)) for side in picture.size)
    picture = picture.resize((width, height), Pillow.Resampling.LANCZOS)
    path = folder / f"{name}{'.png' if transparent else '.jpg'}"
    picture.save(path, quality=95) if not transparent else picture.save(path)
    return f"{folder.name}/{path.name}"


def _paintings(files: dict[str, bytes], folder: Path) -> list[str]:
    """Keep the paintings among a package's files: whole ones, and those that are cut into the pieces of a puzzle."""
    from io import BytesIO

    wanted = {name: medium for medium, names in PAINTINGS.items() for name in names}
    wanted |= dict.fromkeys(HELD_OUT_PAINTINGS, "held out")
    found: dict[str, Pillow.Image] = {}
    for path, content in files.items():
        name = PurePosixPath(path).stem.removesuffix("_background")
        if name in wanted and "board" not in path and ("_background" in path or path.endswith("starry_night.jpg")):
            found[name] = Pillow.open(BytesIO(content)).convert("RGB")
        elif "paintings/resource/board/" in path:
            pieces = re.findall(
                r'"pixmapfile" : "(image/[^"]+\.webp)",\s*"x" : "([\d.]+)",\s*"y" : "([\d.]+)"', content.decode()
            )
            name = re.sub(r"[_-][a-e]?\d+\.webp$", "", PurePosixPath(pieces[0][0]).name)
            if name in wanted:
                root = path.partition("board/")[0]
                found[name] = _joined(
                    [(Pillow.open(BytesIO(files[root + p])), float(x), float(y)) for p, x, y in pieces]
                )
    kept = []
    for name, painting in found.items():
        target = folder / wanted[name] / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        painting.save(target)
        kept.append(target.relative_to(folder.parent).as_posix())
    return kept


def _joined(pieces: list[tuple[Pillow.Image, float, float]]) -> Pillow.Image:
    """A painting from its pieces and the places of their middles, as shares of BOARD."""
    corners = [(x * BOARD[0] - piece.width / 2, y * BOARD[1] - piece.height / 2) for piece, x, y in pieces]
    left, top = (min(corner[k] for corner in corners) for k in range(2))
    right = max(x + piece.width for (x, _), (piece, _, _) in zip(corners, pieces, strict=True))
    bottom = max(y + piece.height for (_, y), (piece, _, _) in zip(corners, pieces, strict=True))
    whole = Pillow.new("RGBA", (round(right - left), round(bottom - top)))
    for (x, y), (piece, _, _) in zip(corners, pieces, strict=True):
        whole.alpha_composite(piece.convert("RGBA"), (max(0, round(x - left)), max(0, round(y - top))))
    return whole.convert("RGB")


@dataclass(frozen=True)
class Material:
    """The pictures of a folder that `fetch` filled."""

    folder: Path

    def __post_init__(self) -> None:
        if not (self.folder / "sources.json").is_file():
            raise InputError(f"{self.folder} holds no training pictures: `style-a-video train material` fetches them")

    def files(self, kind: str) -> tuple[Path, ...]:
        """All pictures of a kind ("photographs", "cutouts", "paintings/van gogh"), sorted."""
        return _listed(self.folder / kind)

    def photographs(self, held_out: bool = False) -> tuple[Path, ...]:
        """The photographs to train on, or those kept out."""
        return tuple(path for path in self.files("photographs") if (path.stem in HELD_OUT_PHOTOGRAPHS) == held_out)

    def paintings(self, medium: str) -> tuple[str, ...]:
        """Paths, below the folder, of the paintings that a medium is imitated from."""
        return tuple(path.relative_to(self.folder).as_posix() for path in self.files(f"paintings/{medium}"))

    def read(self, path: Path) -> Image:
        """(H, W, 3) RGB, or (H, W, 4) with alpha for a cut-out."""
        return np.asarray(Pillow.open(path), np.float32) / np.float32(255)


@lru_cache(maxsize=32)
def _listed(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.iterdir()))
