"""Does the bundled model understand sentences that it was never taught?

    python benchmarks/held_out_text.py ../shared/clips [phrasings | typos | combinations | words ...]

Prints one table a section (all of them by default), measured on the middle frames of the clips. An output reaches a
medium when, of the model's pictures of the same frame by every medium's canonical prompt, that medium's is the nearest
in the plain descriptor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

import numpy as np
import skimage.color
import torch
import typer
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from skimage.feature import canny

import style_a_video as sav
from held_out import PROMPTS, STYLE_NAMES, Clips, Gallery, Picture, clip_frames, stylized
from style_a_video.styles.media import STYLES
from style_a_video.styles.spec import PALETTES, SCALES, StyleSpec
from style_a_video.training.captions import caption, is_held_out, with_typo
from style_a_video.training.renderers.finish import recoloured

Stylize = Callable[[str, list[Picture]], list[Picture]]


def phrasings(stylize: Stylize, frames: list[Picture], typos: bool = False) -> None:
    """The held-out phrasings of every medium on every frame."""
    made = {name: stylize(PROMPTS[name], frames) for name in STYLE_NAMES}
    galleries = [Gallery.of([made[name][k] for name in STYLE_NAMES]) for k in range(len(frames))]
    rng = np.random.default_rng(5)
    everything: list[bool] = []
    print(f"| held-out phrasings{', one typo in each' if typos else ''} | right | seen as | worst phrasing |")
    print("|---|---|---|---|")
    for style in STYLES:
        hits: dict[str, list[bool]] = {}
        mistakes: list[str] = []
        for phrase in style.held_out:
            sentence = with_typo(phrase, rng) if typos else phrase
            found = [g.style_of(o) for g, o in zip(galleries, stylize(sentence, frames), strict=True)]
            hits[sentence] = [name == style.name for name in found]
            mistakes += [name for name in found if name != style.name]
        every = [hit for some in hits.values() for hit in some]
        everything += every
        worst = min(hits, key=lambda sentence: sum(hits[sentence]))
        seen = max(set(mistakes), key=mistakes.count) if mistakes else ""
        tail = f"{worst} ({sum(hits[worst])}/{len(frames)})" if mistakes else ""
        print(f"| {style.name} | {sum(every)}/{len(every)} | {seen} | {tail} |", flush=True)
    print(f"| **all** | **{100 * np.mean(everything):.1f} %** | | |")


def combinations(stylize: Stylize, frames: list[Picture], count: int = 96) -> None:
    """Medium x palette x scale never trained together.

    The medium is told among the media's pictures in the same palette and scale. The palette is reached when the mean
    colour is nearest to that of the medium's plain picture in that palette; the scale, when the marks differ from those
    of the opposite scale in the right direction.
    """
    rng = np.random.default_rng(2)
    specs = [StyleSpec(m, palette=p, scale=s) for m in STYLE_NAMES for p in PALETTES for s in SCALES]
    specs = [spec for spec in specs if is_held_out(spec)]
    rows: dict[bool, list[tuple[bool, bool, bool]]] = {False: [], True: []}
    for number in rng.permutation(len(specs))[:count]:
        spec, frame = specs[number], frames[int(rng.integers(len(frames)))]
        seed = int(rng.integers(1 << 30))
        asked = partial(_asked, stylize, frame, seed)
        candidates = Gallery.of([asked(replace(spec, medium=name)) for name in STYLE_NAMES])
        plain = asked(replace(spec, palette=""))
        colours = {name: _mean_lab(recoloured(plain, name)) for name in PALETTES}
        opposite = asked(replace(spec, scale="huge" if spec.scale == "fine" else "fine"))
        sentence = caption(spec, np.random.default_rng(seed + 1), held_out=True)
        for typo, results in rows.items():
            output = stylize(with_typo(sentence, rng) if typo else sentence, [frame])[0]
            found = _mean_lab(output)
            larger = mark_size(output, frame) > mark_size(opposite, frame)
            results.append(
                (
                    candidates.style_of(output) == spec.medium,
                    min(colours, key=lambda name: float(np.linalg.norm(colours[name] - found))) == spec.palette,
                    larger == (spec.scale != "fine"),
                )
            )
    print("| held-out combinations | medium | palette | scale | all three |\n|---|---|---|---|---|")
    for typo, results in rows.items():
        shares = [*np.mean(results, axis=0), np.mean([all(result) for result in results])]
        cells = " | ".join(f"{100 * share:.1f} %" for share in shares)
        print(f"| {'one typo in each' if typo else 'as written'} | {cells} |", flush=True)


def _asked(stylize: Stylize, frame: Picture, seed: int, spec: StyleSpec) -> Picture:
    """The frame by a sentence as training has them; of one seed, the same wording for every spec."""
    return stylize(caption(spec, np.random.default_rng(seed)), [frame])[0]


def words(stylize: Stylize, frames: list[Picture]) -> None:
    """Do scale, line and tone words move what they name, in sentences that are the same otherwise?"""
    print("| words | move their measure the right way |\n|---|---|")
    for label, field, values, measure in (
        ("scale", "scale", ("fine", "huge"), mark_size),
        ("line", "line", ("none", "heavy"), line_depth),
        ("tone", "tone", ("dark", "pale"), lightness),
    ):
        right = []
        for number, name in enumerate(STYLE_NAMES * 2):
            frame = frames[number % len(frames)]
            specs = [replace(StyleSpec(name), **{field: value}) for value in values]
            first, second = (measure(_asked(stylize, frame, number, spec), frame) for spec in specs)
            right.append(second > first)
        print(f"| {label} | {100 * np.mean(right):.1f} % |", flush=True)


def mark_size(picture: Picture, frame: Picture) -> float:
    """Mean wavelength of the lightness: larger marks, larger value. The frame does not matter."""
    grey = picture.mean(axis=2) - picture.mean()
    power = np.abs(np.fft.rfft2(grey)) ** 2
    fy, fx = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None]
    return float(power.sum() / (power * np.hypot(fy, fx)).sum())


def line_depth(picture: Picture, frame: Picture) -> float:
    """By how much the picture is darker within 3 pixels of the frame's contours than elsewhere."""
    near = binary_dilation(canny(frame.mean(axis=2), sigma=2.0), iterations=3)
    grey = picture.mean(axis=2)
    return float(grey[~near].mean() - grey[near].mean())


def lightness(picture: Picture, frame: Picture) -> float:
    """Mean L* of CIELAB. The frame does not matter."""
    return float(_mean_lab(picture)[0])


def _mean_lab(picture: Picture) -> NDArray[np.float64]:
    return skimage.color.rgb2lab(picture).mean(axis=(0, 1))


SECTIONS: dict[str, Callable[[Stylize, list[Picture]], None]] = {
    "phrasings": phrasings,
    "typos": partial(phrasings, typos=True),
    "combinations": combinations,
    "words": words,
}


@torch.no_grad()
def main(
    clips: Clips,
    sections: Annotated[list[str] | None, typer.Argument(help="Which tables; all by default.")] = None,
    model: str = "bundled",
) -> None:
    unknown = set(sections or []) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    stylize = partial(stylized, sav.load_pipeline(model))
    frames = clip_frames(clips)
    for name in sections or SECTIONS:
        SECTIONS[name](stylize, frames)
        print()


if __name__ == "__main__":
    typer.run(main)
