"""φ: an image encoder trained against the locked sentence embedding, as LiT does (Zhai et al., 2022).

Because the text side stays what it was, φ can judge a picture by any sentence, also by one that training never read.
Two things are asked of it: a picture lies near the sentences that name its style, and nearer to the same content in
another style than to another content. φ serves L_s (section 2.4), the measures, and style from a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from ..devices import autocast
from .captions import caption
from .pairs import COLUMNS, SIZE, Look, Pairs, to_model

IMAGE_SIZE = 128
IMAGE_MEAN = (0.5, 0.5, 0.5)
IMAGE_STD = (0.5, 0.5, 0.5)
SHARPNESS = 30.0
"""Scale of the cosines between pictures and sentences."""


def build(text_width: int) -> CLIPVisionModelWithProjection:
    """An untrained vision transformer on 128x128 pictures: 4 layers, width 192."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            image_size=IMAGE_SIZE, patch_size=16, num_hidden_layers=4, hidden_act="gelu", hidden_size=192,
            intermediate_size=576, num_attention_heads=4, projection_dim=text_width,
        )
    )  # fmt: skip


def locked_text_loss(
    model: CLIPVisionModelWithProjection,
    embed: Callable[[list[str]], Tensor],
    pairs: Pairs,
    contents: int = 32,
) -> Callable[[np.random.Generator], Tensor]:
    """The sum of two contrastive losses: picture and sentence, picture and picture.

    A sentence is right for every picture of its look. Two pictures of one content are a pair, in two styles. Each
    batch holds `contents` pictures twice.

    Args:
        embed: the locked sentence embedding, (N, D) of unit length.
    """
    device = next(model.parameters()).device
    batch = min(contents, len(pairs))

    def loss(rng: np.random.Generator) -> Tensor:
        rows = rng.choice(len(pairs), batch, replace=False)
        columns = np.stack([rng.choice(COLUMNS, 2, replace=False) for _ in rows])
        pictures = torch.cat([crops(pairs, rows, columns[:, k], rng) for k in range(2)]).to(device)
        looks = [pairs.look(int(row), int(at)) for k in range(2) for row, at in zip(rows, columns[:, k], strict=True)]
        text = embed([caption(look.spec if look else None, rng) for look in looks])
        with autocast(device):
            embeds = model(pixel_values=pictures).image_embeds
        image = F.normalize(embeds.float(), dim=-1)
        return _same_spec(image, text, looks) + _same_content(image, batch)

    return loss


def _same_spec(image: Tensor, text: Tensor, looks: Sequence[Look | None]) -> Tensor:
    logits = SHARPNESS * image @ text.T
    specs = [look.spec if look else None for look in looks]
    same = torch.tensor([[float(one == other) for other in specs] for one in specs], device=image.device)
    target = same / same.sum(dim=1, keepdim=True)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def _same_content(image: Tensor, contents: int, temperature: float = 0.1) -> Tensor:
    first, second = image[:contents], image[contents:]
    logits = first @ second.T / temperature
    target = torch.arange(contents, device=image.device)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def crops(pairs: Pairs, rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> Tensor:
    """A random crop of each picture, 60 to 100 % of its side, at φ's size: (N, 3, 128, 128) in [-1, 1]."""
    found = []
    for row, column in zip(rows, columns, strict=True):
        side = int(rng.integers(int(0.6 * SIZE), SIZE + 1))
        top, left = rng.integers(0, SIZE - side + 1, 2)
        picture = to_model(pairs.picture(int(row), int(column))[None, top : top + side, left : left + side])
        found.append(F.interpolate(picture, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True))
    return torch.cat(found)
