"""The demo: a clip made by the package, whose true motion is known, stylized on the bundled model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from .affine import Affine, affine_flow, sample, seen_before, similarity
from .errors import InputError
from .job import Progress, StylizeResult, stylize
from .models.loading import load_pipeline
from .sheets import contact_sheet
from .video import VideoInfo, VideoReader, open_writer

RATE = Fraction(24)
DEMO_STYLES = ("pop art", "stained glass", "neon")


@dataclass(frozen=True)
class DemoClip:
    """Frames and their exact motion."""

    frames: NDArray[np.uint8]
    """(T, H, W, 3) RGB."""
    flows: NDArray[np.float32]
    """(T − 1, 2, H, W), x first, in pixels: row t − 1 takes frame t to frame t − 1 (backward flow)."""
    visible: NDArray[np.bool_]
    """(T − 1, H, W): whether what frame t shows at a pixel was also seen, inside the picture, in frame t − 1."""


def demo_clip(frames: int = 48, width: int = 384, height: int = 256) -> DemoClip:
    """A photograph of a rocket (from scikit-image) under a slow zoom and pan, and a striped balloon
    that drifts and turns in front of it. Both move by known affine maps, so the flow is exact.

    Raises InputError when scikit-image is not installed.
    """
    photograph = _photograph()
    cameras = [
        _camera(t / max(1, frames - 1), photograph.shape[1], photograph.shape[0], width, height) for t in range(frames)
    ]
    balloons = [_balloon(t / max(1, frames - 1), width, height) for t in range(frames)]
    texture, opacity = _balloon_texture()
    pictures, inside = [], []
    for camera, balloon in zip(cameras, balloons, strict=True):
        background = sample(photograph, camera, width, height)
        front = sample(texture, balloon, width, height)
        alpha = sample(opacity, balloon, width, height)
        pictures.append(np.round((background * (1 - alpha) + front * alpha) * 255).astype(np.uint8))
        inside.append(alpha[..., 0] > 0.5)
    flows, visible = [], []
    for t in range(1, frames):
        flow = np.where(
            inside[t][None],
            affine_flow(balloons[t], balloons[t - 1], width, height),
            affine_flow(cameras[t], cameras[t - 1], width, height),
        )
        flows.append(flow)
        visible.append(seen_before(flow, inside[t], inside[t - 1]))
    return DemoClip(np.stack(pictures), np.stack(flows).astype(np.float32), np.stack(visible))


def write_demo_clip(path: Path, clip: DemoClip) -> None:
    """Encode the clip at 24 frames a second."""
    count, height, width, _ = clip.frames.shape
    info = VideoInfo(path, width, height, count, RATE, 1 / RATE, (), float(count / RATE))
    with open_writer(path, (width, height), info) as writer:
        for pts, pixels in enumerate(clip.frames):
            writer.write(pixels, pts)


def run_demo(folder: Path, on_progress: Progress | None = None) -> tuple[list[StylizeResult], Path]:
    """Make the clip, stylize it in `DEMO_STYLES`, and draw the contact sheet. Returns the results and the sheet's path."""
    from .models.styles import STYLES

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give a folder for the demo's videos")
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "demo-input.mp4"
    clip = demo_clip()
    write_demo_clip(source, clip)
    pipeline = load_pipeline()
    styles = [style for style in STYLES if style.name in DEMO_STYLES]
    results = []
    for k, style in enumerate(styles):
        offset = k * len(clip.frames)
        report = (
            (lambda done, _all, offset=offset: on_progress(offset + done, len(styles) * len(clip.frames)))
            if on_progress
            else None
        )
        output = folder / f"demo-{style.name.replace(' ', '-')}.mp4"
        results.append(stylize(source, style.prompt, output, pipeline=pipeline, overwrite=True, on_progress=report))
    sheet = folder / "demo-sheet.png"
    shown = range(0, len(clip.frames), len(clip.frames) // 4)
    rows = {"input": _some_frames(source, shown)} | {
        style.prompt: _some_frames(result.output, shown) for style, result in zip(styles, results, strict=True)
    }
    contact_sheet(rows).save(sheet)
    return results, sheet


def _some_frames(path: Path, wanted: Iterable[int]) -> list[NDArray[np.uint8]]:
    chosen = set(wanted)
    return [frame.pixels for k, frame in enumerate(VideoReader(path).frames()) if k in chosen]


def _photograph() -> NDArray[np.float32]:
    try:
        import skimage
    except ImportError as error:
        raise InputError(
            "the demo's photograph comes with scikit-image: pip install -e '.[demo]' in the project's folder"
        ) from error
    path = Path(skimage.__file__).parent / "data" / "rocket.jpg"
    return (np.asarray(PIL.Image.open(path).convert("RGB")) / 255.0).astype(np.float32)


def _camera(time: float, photo_width: int, photo_height: int, width: int, height: int) -> Affine:
    """Frame pixel -> photograph pixel: zoom in by a quarter while panning right and up, with a slight roll."""
    zoom = (photo_width / width) * (0.80 - 0.20 * time)
    roll = np.deg2rad(2.0 * np.sin(2 * np.pi * time))
    centre = np.array([photo_width * (0.44 + 0.10 * time), photo_height * (0.55 - 0.06 * time)])
    return similarity(zoom, roll, np.array([width / 2, height / 2]), centre)


def _balloon(time: float, width: int, height: int) -> Affine:
    """Frame pixel -> balloon texture pixel (256 x 256): it drifts from left to right, bobs and turns."""
    position = np.array([width * (0.10 + 0.72 * time), height * (0.34 + 0.10 * np.sin(3 * np.pi * time))])
    return similarity(256 / (0.30 * height), -0.5 * time, position, np.array([128.0, 128.0]))


def _balloon_texture() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colour and opacity, (256, 256, 3) and (256, 256, 1): gores in three colours, lit from the upper left."""
    y, x = (np.mgrid[0:256, 0:256] - 127.5) / 120.0
    radius = np.hypot(x, y)
    bulge = x / np.sqrt(np.clip(1 - y**2, 1e-3, 1))
    gore = np.floor((np.arcsin(np.clip(bulge, -1, 1)) / np.pi + 0.5) * 7).astype(int) % 3
    colours = np.array([[0.86, 0.20, 0.15], [0.97, 0.80, 0.24], [0.95, 0.93, 0.86]], np.float32)
    light = 0.55 + 0.5 * np.clip(1 - np.hypot(x + 0.35, y + 0.4), 0, 1)
    opacity = np.clip((1 - radius) * 60, 0, 1)
    return (colours[gore] * light[..., None]).astype(np.float32), opacity[..., None].astype(np.float32)
