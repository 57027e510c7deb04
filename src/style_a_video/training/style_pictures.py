"""Style from a picture: φ's view of another picture in the same look, given to the UNet as further tokens."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rich.progress import track
from transformers import CLIPVisionModelWithProjection

from ..atomic import atomic_path
from ..digests import weights_digest
from ..style_pictures import style_tokens
from .image_encoder import IMAGE_SIZE
from .pairs import COLUMNS, Pairs, to_model
from .unet import Batch, Draw

PICTURE_SHARE = 0.25
"""Of the batches that come with style pictures."""
WORDLESS_SHARE = 0.6
"""Of their samples that lose their sentence, so that the picture alone must tell the style."""


@torch.no_grad()
def make_style_tokens(encoder: CLIPVisionModelWithProjection, pairs: Pairs, path: Path) -> NDArray[np.float16]:
    """The style tokens of all pairs, (N, COLUMNS, tokens, width), mapped from `path`. Kept when complete."""
    path = path.with_stem(f"{path.stem}-{weights_digest(encoder)[:12]}-{len(pairs)}")
    if not path.exists():
        device = next(encoder.parameters()).device
        with atomic_path(path) as partial:
            rows = []
            for row in track(range(len(pairs)), "encoding style pictures"):
                pictures = to_model(pairs.row(row)).to(device)
                small = F.interpolate(pictures, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True)
                rows.append(style_tokens(encoder, small).cpu().numpy().astype(np.float16))
            with partial.open("wb") as file:
                np.save(file, np.stack(rows))
    kept: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return kept


def with_style_pictures(draw: Draw, tokens: NDArray[np.float16], pairs: Pairs, no_text: torch.Tensor) -> Draw:
    """The drawer with a style picture in PICTURE_SHARE of its batches: other contents in the same look.

    Args:
        no_text: states of the empty sentence, (1, tokens, width).
    """
    same: dict[object, list[tuple[int, int]]] = defaultdict(list)
    for row in range(len(tokens)):
        for column in range(COLUMNS):
            same[pairs.look(row, column)].append((row, column))

    def with_pictures(rng: np.random.Generator) -> Batch:
        batch = draw(rng)
        if rng.random() >= PICTURE_SHARE:
            return batch
        text, shown = batch.text.clone(), []
        for k, (row, column) in enumerate(batch.drawn):
            others = [at for at in same[pairs.look(row, column)] if at[0] != row] or [(row, column)]
            shown.append(tokens[others[int(rng.integers(len(others)))]].astype(np.float32))
            if rng.random() < WORDLESS_SHARE:
                text[k] = no_text[0]
        pictures = torch.from_numpy(np.stack(shown)).to(text)
        return batch._replace(text=torch.cat([text, pictures], dim=1))

    return with_pictures
