"""Every measure of section 2.7 of docs/method.md, of one output: frame by frame and in the mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import InputError
from ...frames import pixels_to_tensor, tensor_to_picture
from ..clips import Clip
from ..encoders import Encoder
from .fidelity import edge_f_score
from .flicker import masked_difference

Values = list[float | None]
"""One per frame; None where there is none: no earlier frame in the shot, or no pixel whose motion is trusted."""
FAR = 5
"""Frames between the two of the longer temporal loss."""


@dataclass(frozen=True)
class Measures:
    """The measures of one output video.

    Content, style and edges are better when higher; E_warp's terms and temporal losses when lower.
    """

    encoder: str
    """Which one content and style were measured with."""
    size: tuple[int, int]
    """Width and height that all was measured at: sharpness and edges of two sizes are not comparable."""
    warp_error_long: Values
    """E_pair to the shot's first frame."""
    warp_error_short: Values
    """E_pair to the frame before."""
    temporal_loss_1: Values
    temporal_loss_5: Values
    content: Values
    style: Values
    edges: Values
    """F-score of the output frame's Canny edges against the input frame's: shapes kept."""
    sharpness: Values
    """Variance of the Laplacian of the grey frame in [0, 1]."""
    trusted_long: Values
    """Share of the frame whose motion from the shot's first frame is trusted; E_pair is the mean over it."""
    trusted_short: Values
    """The same from the frame before."""

    def means(self) -> dict[str, float | None]:
        """E_warp and the mean of every other measure; None where no frame has it."""
        pairs = zip(self.warp_error_long, self.warp_error_short, strict=True)
        both = [long + short for long, short in pairs if long is not None and short is not None]
        means: dict[str, float | None] = {"warp_error": float(np.mean(both)) if both else None}
        for name, values in self.frames().items():
            there = [value for value in values if value is not None]
            means[name] = float(np.mean(there)) if there else None
        return means

    def frames(self) -> dict[str, Values]:
        """Every measure's values, one per frame."""
        return {name: values for name, values in asdict(self).items() if name not in ("encoder", "size")}

    def record(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"encoder": self.encoder, "size": list(self.size), "means": self.means(), "frames": self.frames()}


HeatMap = Callable[[int, str, Tensor], None]
"""Called with (frame, "short" or "long", |O_t − W(O_s)| (H, W), NaN where the motion is not trusted)."""


def measure(
    clip: Clip,
    output: Tensor | NDArray[np.uint8],
    prompt: str,
    encoder: Encoder,
    on_map: HeatMap | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Measures:
    """All measures of `output`, (T, 3, H, W) in [0, 1] or (T, H, W, 3) bytes, made of `clip` for `prompt`.

    Flow, trusted pixels and cuts are the input's. Pairs across a cut, and pairs without a trusted pixel, count nowhere.

    Raises:
        InputError: when the output has not the clip's frames.
    """
    height, width = clip.pixels.shape[1:3]
    shape = (len(clip), 3, height, width) if isinstance(output, Tensor) else (len(clip), height, width, 3)
    if tuple(output.shape) != shape:
        raise InputError(f"the output is {tuple(output.shape)} where {clip.name} needs {shape}")
    wanted = encoder.text(prompt)

    def shown(t: int) -> Tensor:
        return output[t : t + 1] if isinstance(output, Tensor) else pixels_to_tensor(output[t : t + 1])

    columns: dict[str, Values] = {name: [] for name in Measures.__dataclass_fields__ if name not in ("encoder", "size")}
    for t in range(len(clip)):
        first = clip.shot_starts[t]
        pairs = {"long": first if first < t else None, "short": clip.earlier(t, 1), "far": clip.earlier(t, FAR)}
        frame = shown(t)
        maps = {name: None if s is None else _difference(clip, frame, shown(s), t, s) for name, s in pairs.items()}
        if on_map:
            for name in ("long", "short"):
                if (found := maps[name]) is not None:
                    on_map(t, name, torch.where(found[1] > 0, found[0], torch.nan)[0, 0])
        image, source = encoder.images(frame), clip.embedding(t, encoder)
        values = {
            "warp_error_long": _pair_error(maps["long"]), "warp_error_short": _pair_error(maps["short"]),
            "temporal_loss_1": _mean(maps["short"]), "temporal_loss_5": _mean(maps["far"]),
            "content": float(torch.cosine_similarity(image, source)[0]),
            "style": float(torch.cosine_similarity(image, wanted[None])[0]), "sharpness": sharpness(frame[0]),
            "edges": edge_f_score(tensor_to_picture(frame), tensor_to_picture(clip.picture(t))),
            "trusted_long": _trusted(maps["long"]), "trusted_short": _trusted(maps["short"]),
        }  # fmt: skip
        for name, value in values.items():
            columns[name].append(value)
        if on_progress:
            on_progress(t + 1, len(clip))
    return Measures(encoder.name, (width, height), **columns)


Difference = tuple[Tensor, Tensor] | None
"""M ⊙ |O_t − W(O_s)| and M, each (1, 1, H, W); None where there is no pair, or no pixel of it is trusted."""


def _difference(clip: Clip, frame: Tensor, other: Tensor, t: int, s: int) -> Difference:
    flow, mask = clip.motion(t, s)
    return (masked_difference(frame, other, flow, mask), mask) if mask.any() else None


def _pair_error(pair: Difference) -> float | None:
    return None if pair is None else float(pair[0].sum() / pair[1].double().sum())


def _trusted(pair: Difference) -> float | None:
    return None if pair is None else float(pair[1].double().mean())


def _mean(pair: Difference) -> float | None:
    return None if pair is None else float(pair[0].mean())


def sharpness(picture: Tensor) -> float:
    """Variance of the Laplacian of the grey picture, (3, H, W) in [0, 1]."""
    grey: NDArray[np.float32] = np.ascontiguousarray(picture.float().mean(dim=0).numpy())
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
