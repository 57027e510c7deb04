"""φ: an image encoder trained against the locked sentence embedding, as LiT does (Zhai et al., 2022).

Because the text side stays what it was, φ can judge a picture by any sentence, also by one that training never read.
Three things are asked of it: a picture lies near the sentences that name its style; it lies nearer to the same content
in another style than to another content; its style tokens tell every part of the style. φ serves L_s (section 2.4), the
measures, and style from a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from ..devices import autocast
from ..models.reader import SpecHeads
from ..style_pictures import style_tokens
from ..styles.spec import StyleSpec
from .captions import caption
from .pairs import COLUMNS, SIZE, Pairs, to_model

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


class Taught(nn.Module):
    """φ with the classifiers that teach its style tokens, and are needed no more afterwards."""

    def __init__(self, encoder: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = SpecHeads(2 * encoder.config.projection_dim)


def locked_text_loss(
    taught: Taught,
    embed: Callable[[list[str]], Tensor],
    pairs: Pairs,
    contents: int = 32,
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """Two contrastive losses, of picture and sentence and of picture and picture, and the classifiers' losses.

    A sentence is right for every picture of its look. Two pictures of one content are a pair, in two styles. Each
    batch holds `contents` pictures twice.

    Args:
        embed: the locked sentence embedding, (N, D) of unit length.
    """
    device = next(taught.parameters()).device
    batch = min(contents, len(pairs))

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        rows = rng.choice(len(pairs), batch, replace=False)
        columns = np.stack([rng.choice(COLUMNS, 2, replace=False) for _ in rows])
        pictures = torch.cat([crops(pairs, rows, columns[:, k], rng) for k in range(2)]).to(device)
        looks = [pairs.look(int(row), int(at)) for k in range(2) for row, at in zip(rows, columns[:, k], strict=True)]
        specs = [look.spec if look else None for look in looks]
        text = embed([caption(spec, rng) for spec in specs])
        with autocast(device):
            tokens = style_tokens(taught.encoder, pictures)
        tokens = tokens.float()
        image = F.normalize(tokens[:, 0], dim=-1)
        seen = torch.cat([tokens[:, 0], tokens[:, 1:].mean(dim=1)], dim=1)
        told = torch.stack(list(taught.heads.losses(seen, specs).values())).sum()
        return {"sentence": _same_spec(image, text, specs), "content": _same_content(image, batch), "told": told}

    return loss


def _same_spec(image: Tensor, text: Tensor, specs: Sequence[StyleSpec | None]) -> Tensor:
    logits = SHARPNESS * image @ text.T
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
