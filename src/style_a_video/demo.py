"""The demo: a clip made by the package, whose true motion is known, stylized on the bundled model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from .affine import Affine, affine_flow, sample, seen_before, similarity
from .atomic import atomic_path, check_writable
from .dependencies import require_extra
from .errors import InputError
from .frames import Pixels, picture_to_pixels, pixels_to_picture
from .job import Progress, stylize
from .models import load_pipeline
from .record import StylizeResult
from .sheets import contact_sheet
from .styles import STYLES
from .video import VideoInfo, VideoReader, open_writer

RATE = Fraction(24)
DEMO_STYLES = ("oil painting", "pencil", "comic")
OUTLINE = (
    (201, 23), (186, 37), (162, 52), (156, 59), (153, 68), (156, 101), (169, 117), (172, 125), (182, 135),
    (182, 145), (179, 148), (151, 152), (140, 158), (123, 177), (117, 186), (113, 188), (113, 204), (92, 225),
    (65, 246), (41, 291), (39, 305), (26, 343), (25, 374), (19, 391), (19, 410), (24, 432), (24, 471), (29, 492),
    (25, 504), (26, 511), (511, 511), (511, 485), (506, 480), (506, 471), (502, 459), (495, 449), (495, 442),
    (486, 434), (473, 406), (471, 395), (458, 377), (455, 363), (436, 351), (417, 345), (393, 344), (373, 348),
    (364, 347), (360, 342), (361, 330), (357, 322), (355, 299), (346, 274), (343, 267), (337, 257), (320, 243),
    (304, 234), (302, 228), (295, 212), (284, 197), (256, 173), (256, 164), (264, 149), (265, 141), (292, 114),
    (300, 92), (296, 59), (288, 43), (277, 32), (247, 18), (228, 16),
)  # fmt: skip
"""The astronaut in her photograph, (x, y) in pixels: the layer in front."""


@dataclass(frozen=True)
class DemoClip:
    """Frames and their exact motion."""

    frames: Pixels
    """(T, H, W, 3) RGB."""
    flows: NDArray[np.float32]
    """(T − 1, 2, H, W), x first, in pixels: row t − 1 takes frame t to frame t − 1 (backward flow)."""
    visible: NDArray[np.bool_]
    """(T − 1, H, W): whether what frame t shows at a pixel was also seen, inside the picture, in frame t − 1."""


def demo_clip(frames: int = 72, width: int = 384, height: int = 256) -> DemoClip:
    """A portrait in two layers of depth, under a slowly moving camera.

    The astronaut Eileen Collins stands before a flag and a model of the Space Shuttle (a photograph of NASA's, from
    scikit-image). Both layers move by known affine maps, so the flow is exact.

    Args:
        frames: over which the whole camera path is spread; fewer frames move faster.
        width, height: of the frames, in pixels.

    Raises:
        InputError: when scikit-image is not installed.
    """
    background, person, opacity = _layers()
    cameras = [_cameras(t / max(1, frames - 1), width, height) for t in range(frames)]
    pictures, inside = [], []
    for far, near in cameras:
        alpha = sample(opacity, near, width, height)
        picture = sample(background, far, width, height) * (1 - alpha) + sample(person, near, width, height) * alpha
        pictures.append(picture_to_pixels(picture))
        inside.append(alpha[..., 0] > 0.5)
    flows, visible = [], []
    for t in range(1, frames):
        (far, near), (far_before, near_before) = cameras[t], cameras[t - 1]
        flow = np.where(
            inside[t][None],
            affine_flow(near, near_before, width, height),
            affine_flow(far, far_before, width, height),
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
    """Make the clip, stylize it in `DEMO_STYLES`, and draw the contact sheet. Returns the results and the sheet's path.

    Raises InputError when `folder` is a file, or scikit-image is not installed.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give a folder for the demo's videos")
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "demo-input.mp4"
    clip = demo_clip()
    write_demo_clip(source, clip)
    pipeline = load_pipeline()
    styles = [style for name in DEMO_STYLES for style in STYLES if style.name == name]
    results = []
    for k, style in enumerate(styles):

        def report(done: int, _total: int, before: int = k * len(clip.frames)) -> None:
            if on_progress:
                on_progress(before + done, len(styles) * len(clip.frames))

        output = folder / f"demo-{style.name.replace(' ', '-')}.mp4"
        results.append(
            stylize(source, style.prompt, output, pipeline=pipeline, overwrite=True, fresh=True, on_progress=report)
        )
    shown = range(0, len(clip.frames), len(clip.frames) // 4)
    rows = {"input": _some_frames(source, shown)} | {
        style.prompt: _some_frames(result.output, shown) for style, result in zip(styles, results, strict=True)
    }
    sheet = folder / "demo-sheet.png"
    with atomic_path(sheet) as partial:
        contact_sheet(rows).save(partial)
    return results, sheet


def _some_frames(path: Path, wanted: Iterable[int]) -> list[Pixels]:
    chosen = set(wanted)
    return [frame.pixels for k, frame in enumerate(VideoReader(path).frames()) if k in chosen]


def _layers() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Background without the person, the photograph, and the person's opacity: (512, 512, 3, 3 and 1) in [0, 1]."""
    require_extra("demo", "the demo's photograph")
    import skimage

    photograph = np.asarray(PIL.Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB"))
    person = np.zeros(photograph.shape[:2], np.uint8)
    cv2.fillPoly(person, [np.array(OUTLINE)], 255)
    # Only a rim of what lies behind her is ever seen.
    hidden = cv2.dilate(person, np.ones((17, 17), np.uint8))
    background = cv2.inpaint(np.ascontiguousarray(photograph), hidden, 5, cv2.INPAINT_TELEA)
    opacity = cv2.GaussianBlur(cv2.erode(person, np.ones((3, 3), np.uint8)), (0, 0), 1.0)[..., None]
    return pixels_to_picture(background), pixels_to_picture(photograph), pixels_to_picture(opacity)


def _cameras(time: float, width: int, height: int) -> tuple[Affine, Affine]:
    """Frame pixel -> photograph pixel for the background and for the person, who is nearer and so moves more.

    The camera comes nearer by a sixth, passes to the right, and rolls a little.
    """
    centre = np.array([width / 2, height / 2])
    roll = np.deg2rad(1.2 * np.sin(2 * np.pi * time))
    path = np.array([30 * (time - 0.5), -5 * np.sin(np.pi * time)])
    far = similarity(470 / width * (1 - 0.08 * time), roll, centre, np.array([262, 152]) + path)
    near = similarity(470 / width * (1 - 0.16 * time), roll, centre, np.array([262, 152]) + 2.2 * path)
    return far, near
