"""Pictures between their forms: arrays of bytes, tensors, PIL images, encoded files.

Tensors are (F, 3, H, W) float32 in [0, 1]; arrays are (F, H, W, 3) or, for one picture, (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .errors import InputError

Video = NDArray[Any] | Tensor | Sequence[PIL.Image.Image]
Picture = NDArray[Any] | Tensor | PIL.Image.Image
Pixels = NDArray[np.uint8]


def video_to_tensor(video: Video) -> Tensor:
    """Whatever a person hands over as a video, as (F, 3, H, W) float32 in [0, 1].

    Args:
        video: (F, H, W, 3) array, uint8 or float in [0, 1]; (F, 3, H, W) tensor, uint8 or float; PIL images of one
            size.

    Raises:
        InputError: for anything else, for no frames, and for values outside the range.
    """
    if isinstance(video, Tensor | np.ndarray):
        given = torch.as_tensor(video if isinstance(video, Tensor) else np.ascontiguousarray(video)).detach()
        if not (given.is_floating_point() or given.dtype == torch.uint8):
            raise InputError(f"video is of {video.dtype}: give uint8, or floats in [0, 1]")
        frames = given.float() / (1 if given.is_floating_point() else 255)
        expected = "(F, 3, H, W)"
        if isinstance(video, np.ndarray):
            frames, expected = frames.permute(0, 3, 1, 2) if frames.ndim == 4 else frames, "(F, H, W, 3)"
    else:
        frames, expected = images_to_tensor(video), "PIL images"
    if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
        shape = tuple(video.shape) if hasattr(video, "shape") else "?"
        raise InputError(f"video has shape {shape}; expected {expected}")
    if not torch.isfinite(frames).all() or frames.min() < 0 or frames.max() > 1:
        raise InputError("video has values outside [0, 1]: give uint8, or floats in [0, 1]")
    return frames.contiguous()


def picture_to_tensor(picture: Picture) -> Tensor:
    """One picture as a person hands it over, as (1, 3, H, W) float32 in [0, 1]. Raises InputError as for a video."""
    return video_to_tensor([picture] if isinstance(picture, PIL.Image.Image) else picture[None])


def read_image(path: Path) -> PIL.Image.Image:
    """An image file, upright, in RGB. Raises InputError where there is none."""
    try:
        with PIL.Image.open(path) as image:
            return PIL.ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {path} as an image: give a .png, .jpg or .webp file") from error


def images_to_tensor(images: Any) -> Tensor:
    """A non-empty list of PIL images of one size as a tensor. Raises InputError for anything else."""
    pictures = list(images) if isinstance(images, Sequence) else []
    if not pictures or not all(isinstance(picture, PIL.Image.Image) for picture in pictures):
        raise InputError("video must be one array or tensor of all frames, or a non-empty list of PIL images")
    if len({picture.size for picture in pictures}) > 1:
        raise InputError("the frames differ in size: resize them to one size first")
    arrays = [torch.from_numpy(np.array(picture.convert("RGB"), dtype=np.float32)) for picture in pictures]
    return torch.stack(arrays).permute(0, 3, 1, 2) / 255


def pixels_to_tensor(pixels: Pixels) -> Tensor:
    """One picture or many, uint8, as a tensor (1 or F, 3, H, W)."""
    batch = pixels if pixels.ndim == 4 else pixels[None]
    return torch.from_numpy(np.array(batch)).permute(0, 3, 1, 2).float() / 255


def tensor_to_pixels(frames: Tensor) -> Pixels:
    """A tensor (F, 3, H, W), values outside [0, 1] clipped, as uint8 (F, H, W, 3)."""
    return (frames.clamp(0, 1).permute(0, 2, 3, 1) * 255).round().to(torch.uint8).contiguous().cpu().numpy()


def tensor_to_picture(frame: Tensor) -> NDArray[np.float32]:
    """A tensor (1, 3, H, W) as a float array (H, W, 3): what OpenCV and scikit-image measure."""
    return frame[0].permute(1, 2, 0).float().cpu().numpy()


def pixels_to_picture(pixels: Pixels) -> NDArray[np.float32]:
    """Bytes of any shape as floats in [0, 1] of the same shape."""
    return (pixels / 255).astype(np.float32)


def picture_to_pixels(picture: NDArray[np.floating[Any]]) -> Pixels:
    """Floats in [0, 1] of any shape, rounded to bytes of the same shape."""
    return np.round(picture * 255).astype(np.uint8)


def tensor_to_output(frames: Tensor, output_type: str) -> NDArray[np.float32] | Tensor | list[PIL.Image.Image]:
    """A tensor as "pt" (unchanged), "np" (F, H, W, 3) float32, or "pil"."""
    if output_type == "pt":
        return frames
    if output_type == "np":
        return frames.permute(0, 2, 3, 1).contiguous().numpy()
    return [PIL.Image.fromarray(pixels) for pixels in tensor_to_pixels(frames)]


def pad_to_multiple(frames: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples; nothing is stretched. (F, C, H, W)."""
    height, width = frames.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    return F.pad(frames, (0, right, 0, bottom), mode="replicate") if bottom or right else frames


def resize_pixels(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """One picture at `size` (width, height), by Lanczos; unchanged where it has that size."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.LANCZOS))


def encode_image(image: PIL.Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file of that kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
