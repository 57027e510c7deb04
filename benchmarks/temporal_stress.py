"""Where steadying goes wrong elsewhere: cuts, a black frame, a flash, a frozen frame, three hundred frames.

    python benchmarks/temporal_stress.py ../shared/clips out/temporal

It prints, for the default settings:

- how far a shot beside a cut, a flash or a black frame is from the same shot stylized alone (a ghost would show);
- how much a frozen frame moves;
- what is left of half a flash and of a dissolve;
- how far mean and contrast of the last of 300 frames are from those of per-frame sampling.

It writes x-t slices (one scan line over time) and slow-motion sheets as pictures.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

import style_a_video as sav
from held_out import PROMPTS
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.sheets import contact_sheet, labelled_grid
from style_a_video.stream import stylized_frames
from style_a_video.video import VideoFrame, VideoReader

Pictures = NDArray[np.uint8]
SIDE = 256
PER_FRAME: dict[str, Any] = {"keyframe_interval": 1, "refine": False}
INDEPENDENT: dict[str, Any] = PER_FRAME | {"noise": "independent"}


def squares(path: Path, count: int) -> list[Pictures]:
    """The first frames of a clip, their centres as squares of SIDE²."""
    reader = VideoReader(path)
    scale = SIDE / min(reader.info.width, reader.info.height)
    size = max(SIDE, round(reader.info.width * scale)), max(SIDE, round(reader.info.height * scale))
    pictures = [frame.pixels for frame in islice(reader.frames(size), count)]
    top, left = (size[1] - SIDE) // 2, (size[0] - SIDE) // 2
    return [picture[top : top + SIDE, left : left + SIDE] for picture in pictures]


def stylized(pipeline: sav.StyleAVideoPipeline, pictures: list[Pictures], style: str, **settings: Any) -> Pictures:
    """(T, H, W, 3)."""
    frames = [VideoFrame(pixels, k) for k, pixels in enumerate(pictures)]
    chosen = Settings(**settings)
    refiner = load_refiner() if chosen.refine is not False else None
    return np.stack([f.pixels for f in stylized_frames(pipeline, frames, PROMPTS[style], chosen, refiner)])


def ghosts(pipeline: sav.StyleAVideoPipeline, clips: list[Path], style: str) -> None:
    """A cut every 10 frames, and within a shot a flash and a black frame: is a shot what it is alone?"""
    shots = [squares(path, 10) for path in clips]
    flash, black = np.full_like(shots[0][0], 255), np.zeros_like(shots[0][0])
    parts = {
        "a cut every 10 frames": shots,
        "a flash in a shot": [shots[0][:5], [flash], shots[0][5:]],
        "a black frame in a shot": [shots[0][:5], [black], shots[0][5:]],
    }
    print("| | largest difference to the shot stylized alone, of 255 | mean |\n|---|---|---|")
    for label, shots in parts.items():
        together = stylized(pipeline, [picture for shot in shots for picture in shot], style).astype(int)
        alone = np.concatenate([stylized(pipeline, shot, style) for shot in shots]).astype(int)
        difference = np.abs(together - alone)
        print(f"| {label} | {difference.max()} | {difference.mean():.4f} |", flush=True)


def frozen(pipeline: sav.StyleAVideoPipeline, clip: Path, style: str) -> None:
    """One frame again and again, and as a sensor would see it."""
    print("\n| one frame 24 times | largest change, of 255 | mean |\n|---|---|---|")
    generator = np.random.default_rng(0)
    still = squares(clip, 1) * 24
    noisy = [(pixels + generator.integers(-1, 2, pixels.shape)).clip(0, 255).astype(np.uint8) for pixels in still]
    for label, frames in (("the defaults", still), ("with noise of 1 of 255 in every frame", noisy)):
        pictures = stylized(pipeline, frames, style).astype(int)
        change = np.abs(pictures - pictures[0])
        print(f"| {label} | {change.max()} | {change.mean():.4f} |", flush=True)


def half_a_flash(pipeline: sav.StyleAVideoPipeline, clip: Path, style: str) -> None:
    """One frame 40 of 255 brighter, too little for a cut: what is left of it in the frames after it?"""
    calm = squares(clip, 32)
    plain = stylized(pipeline, calm, style).astype(int)
    for flash, kind in ((8, "a keyframe"), (12, "between keyframes")):
        lit = [*calm[:flash], (calm[flash].astype(int) + 40).clip(0, 255).astype(np.uint8), *calm[flash + 1 :]]
        difference = np.abs(plain - stylized(pipeline, lit, style).astype(int))
        print(f"\n| frame {flash}, {kind}, 40 brighter | largest difference to none, of 255 | mean |\n|---|---|---|")
        for t in (flash - 1, flash, flash + 1, 16, 24, 31):
            print(f"| frame {t} | {difference[t].max()} | {difference[t].mean():.4f} |", flush=True)


def dissolves(pipeline: sav.StyleAVideoPipeline, clips: list[Path], style: str) -> None:
    """What is left of a shot after it has faded into another, and after a fade out of grey, over 24 frames each."""
    first, second = (squares(path, 1)[0].astype(float) for path in clips[:2])
    after = stylized(pipeline, [second.round().astype(np.uint8)], style, **PER_FRAME)[0].astype(int)
    print("\n| a dissolve over 24 frames, 16 frames after it | mean difference to the shot alone, of 255 |\n|---|---|")
    for label, begin in (
        (f"{clips[0].stem} into {clips[1].stem}", first),
        (f"grey into {clips[1].stem}", np.full_like(first, 128)),
    ):
        shares = [0.0] * 4 + [k / 24 for k in range(25)] + [1.0] * 16
        frames = [(begin * (1 - share) + second * share).round().astype(np.uint8) for share in shares]
        found = stylized(pipeline, frames, style).astype(int)
        print(f"| {label} | {np.abs(found[-1] - after).mean():.2f} |", flush=True)
    unlike = stylized(pipeline, [first.round().astype(np.uint8)], style, **PER_FRAME)[0].astype(int)
    print(f"| (the two shots) | {np.abs(unlike - after).mean():.2f} |\n")


def drift(pipeline: sav.StyleAVideoPipeline, clip: Path, style: str, length: int = 300) -> None:
    """A clip to and fro: do mean and contrast of its end stay those of per-frame sampling?"""
    pictures = squares(clip, 40)
    there_and_back = (pictures + pictures[-2:0:-1]) * (length // len(pictures))
    propagated = stylized(pipeline, there_and_back[:length], style)[-20:].astype(float)
    plain = stylized(pipeline, there_and_back[length - 20 : length], style, **PER_FRAME).astype(float)
    mean, contrast = propagated.mean() / plain.mean() - 1, propagated.std() / plain.std() - 1
    sharp = [np.mean([np.square(np.diff(p, axis=1)).mean() for p in v]) for v in (propagated, plain)]
    print(
        f"| {clip.stem}, {style} | {100 * mean:+.1f} % | {100 * contrast:+.1f} % | {sharp[0] / sharp[1]:.2f} |",
        flush=True,
    )


def pictures_to_look_at(pipeline: sav.StyleAVideoPipeline, clips: list[Path], style: str, folder: Path) -> None:
    """x-t slices and slow-motion sheets: input, independent noise, shared noise, the defaults."""
    ways = {"independent noise": INDEPENDENT, "one noise field": PER_FRAME, "the defaults": {}}
    slices = {}
    for clip in clips:
        frames = squares(clip, 64)
        videos = {"input": np.stack(frames)} | {
            name: stylized(pipeline, frames, style, **settings) for name, settings in ways.items()
        }
        for name, video in videos.items():
            # One row of pixels over time, downwards, every frame 4 pixels high.
            slices[f"{clip.stem}: {name}"] = np.repeat(video[:, SIDE // 2], 4, axis=0)[:SIDE]
        rows = {f"{name}, frames 8, 10, 12, 14": list(video[8:16:2]) for name, video in videos.items()}
        contact_sheet(rows, SIDE).save(folder / f"slow_{clip.stem}.png")
    labelled_grid(slices, 4, SIDE).save(folder / "slices.png")
    print(f"\nlook at {folder}/slices.png and slow_*.png")


@torch.no_grad()
def main(
    clips: Path,
    output: Annotated[Path, typer.Argument(help="Folder for the pictures.")] = Path("out/temporal"),
    style: str = "ukiyo-e",
    model: str = "bundled",
) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pipeline = sav.load_pipeline(model)
    paths = {path.stem: path for path in sorted(clips.glob("*.mp4"))}
    some = [paths[name] for name in ("wolf", "tea-pour", "skiing-2997-audio", "flamingo")]
    ghosts(pipeline, some, style)
    frozen(pipeline, some[0], style)
    half_a_flash(pipeline, some[0], style)
    dissolves(pipeline, some, style)
    print("| 300 frames | mean | contrast | sharpness |\n|---|---|---|---|")
    for name in ("wolf", "skiing-2997-audio"):
        for each in (style, "pencil"):
            drift(pipeline, paths[name], each)
    pictures_to_look_at(pipeline, [paths["wolf"], paths["car-turn"], paths["skiing-2997-audio"]], style, output)


if __name__ == "__main__":
    typer.run(main)
