"""Whatever a person hands over as a video, as one tensor, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .errors import InputError

Video = NDArray[Any] | Tensor | Sequence[PIL.Image.Image]


def frames_to_tensor(video: Video) -> Tensor:
    """(F, 3, H, W) float32 in [0, 1].

    Takes an (F, H, W, 3) array, uint8 or float in [0, 1]; an (F, 3, H, W) tensor, uint8 or float; PIL images of one size.
    Raises InputError for anything else, for no frames, and for values outside the range.
    """
    if isinstance(video, Tensor | np.ndarray):
        given = torch.as_tensor(video if isinstance(video, Tensor) else np.ascontiguousarray(video)).detach()
        if not (given.is_floating_point() or given.dtype == torch.uint8):
            raise InputError(f"video is of {video.dtype}: give uint8, or floats in [0, 1]")
        frames = given.float() / (1 if given.is_floating_point() else 255)
        wanted = "(F, 3, H, W)"
        if isinstance(video, np.ndarray):
            frames, wanted = frames.permute(0, 3, 1, 2) if frames.ndim == 4 else frames, "(F, H, W, 3)"
    else:
        images = list(video) if isinstance(video, Sequence) else []
        if not images or not all(isinstance(image, PIL.Image.Image) for image in images):
            raise InputError("video must be one array or tensor of all frames, or a non-empty list of PIL images")
        if len({image.size for image in images}) > 1:
            raise InputError("the frames differ in size: resize them to one size first")
        frames = torch.stack([torch.from_numpy(np.array(image.convert("RGB"), dtype=np.float32)) for image in images])
        frames, wanted = frames.permute(0, 3, 1, 2) / 255, "PIL images"
    if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
        raise InputError(f"video has shape {tuple(video.shape) if hasattr(video, 'shape') else '?'}; expected {wanted}")
    if not torch.isfinite(frames).all() or frames.min() < 0 or frames.max() > 1:
        raise InputError("video has values outside [0, 1]: give uint8, or floats in [0, 1]")
    return frames.contiguous()


def pad_to_multiple(frames: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples; nothing is stretched. (F, C, H, W)."""
    height, width = frames.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    return F.pad(frames, (0, right, 0, bottom), mode="replicate") if bottom or right else frames


def tensor_to_output(frames: Tensor, output_type: str) -> NDArray[np.float32] | Tensor | list[PIL.Image.Image]:
    """(F, 3, H, W) in [0, 1] as "pt" (unchanged), "np" (F, H, W, 3) float32, or "pil"."""
    if output_type == "pt":
        return frames
    array = frames.permute(0, 2, 3, 1).contiguous().numpy()
    if output_type == "np":
        return array
    return [PIL.Image.fromarray(np.round(frame * 255).astype(np.uint8)) for frame in array]
