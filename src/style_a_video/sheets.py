"""Contact sheets: labelled rows of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

LABEL_HEIGHT = 26
GAP = 4


def contact_sheet(rows: Mapping[str, Sequence[NDArray[np.uint8]]], height: int = 224) -> PIL.Image.Image:
    """One labelled row per entry, pictures (H, W, 3) uint8 scaled to `height`, white ground."""
    scaled = {label: [_to_height(picture, height) for picture in pictures] for label, pictures in rows.items()}
    width = max(sum(picture.width + GAP for picture in pictures) for pictures in scaled.values()) + GAP
    sheet = PIL.Image.new("RGB", (width, len(rows) * (height + LABEL_HEIGHT) + GAP), "white")
    draw, font = PIL.ImageDraw.Draw(sheet), PIL.ImageFont.load_default(size=16)
    top = 0
    for label, pictures in scaled.items():
        draw.text((GAP + 2, top + 3), label, fill="black", font=font)
        left = GAP
        for picture in pictures:
            sheet.paste(picture, (left, top + LABEL_HEIGHT))
            left += picture.width + GAP
        top += height + LABEL_HEIGHT
    return sheet


def labelled_grid(cells: Mapping[str, NDArray[np.uint8]], columns: int, height: int = 224) -> PIL.Image.Image:
    """Every picture under its own label, `columns` to a row."""
    tiles = [contact_sheet({label: [picture]}, height) for label, picture in cells.items()]
    width, tile_height = max(tile.width for tile in tiles), tiles[0].height
    sheet = PIL.Image.new("RGB", (columns * width, -(-len(tiles) // columns) * tile_height), "white")
    for k, tile in enumerate(tiles):
        sheet.paste(tile, (k % columns * width, k // columns * tile_height))
    return sheet


def _to_height(picture: NDArray[np.uint8], height: int) -> PIL.Image.Image:
    image = PIL.Image.fromarray(picture)
    return image.resize((max(1, round(image.width * height / image.height)), height), PIL.Image.Resampling.LANCZOS)
