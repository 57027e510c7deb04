"""Does `strength` lead from the frame to the style, evenly and without turning back?

    python benchmarks/strength.py ../shared/clips [--sheet FILE.png]

On the middle frames of four clips in four media, at every strength: SSIM with the frame, distance from the picture of
full strength in the plain descriptor, and φ's likeness to the sentence over that of the frame itself; then how many of
the sixteen rows fall, fall and rise in these throughout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

import style_a_video as sav
from held_out import Clips, Picture, clip_frames, stylized
from style_a_video.evaluation import style_descriptor
from style_a_video.evaluation.encoders import Encoder, bundled_encoder
from style_a_video.evaluation.metrics import structural_similarity
from style_a_video.frames import picture_to_pixels
from style_a_video.sheets import contact_sheet

MEDIA = ("an oil painting", "a pencil drawing", "a stained glass window", "a comic book page")
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SLACK = 0.002
"""A step the wrong way by less than this is none: the measures see the first stage's noise, too."""


def likeness(encoder: Encoder, picture: Picture, sentence: str) -> float:
    """cos(φ(picture), φ(sentence))."""
    images = encoder.images(torch.from_numpy(picture).permute(2, 0, 1)[None])
    return float(torch.nn.functional.cosine_similarity(images[0], encoder.text(sentence), dim=0))


def main(
    clips: Clips, sheet: Annotated[Path | None, typer.Option(help="Draw the pictures there.", show_default="no")] = None
) -> None:
    pipeline = sav.load_pipeline()
    encoder = bundled_encoder(pipeline)
    frames = clip_frames(clips)[::2][:4]
    sheets: dict[str, list[Picture]] = {}
    content, distance, style = [], [], []
    for sentence in MEDIA:
        by_strength = [stylized(pipeline, sentence, frames, strength=strength) for strength in STRENGTHS]
        for k, frame in enumerate(frames):
            pictures = [made[k] for made in by_strength]
            sheets[f"{sentence}, frame {k + 1}"] = pictures
            content.append([structural_similarity(picture, frame) for picture in pictures])
            whole = style_descriptor(pictures[-1])
            distance.append([float(np.linalg.norm(style_descriptor(picture) - whole)) for picture in pictures])
            before = likeness(encoder, frame, sentence)
            style.append([likeness(encoder, picture, sentence) - before for picture in pictures])
    print(
        "| strength | SSIM with the frame | distance from full strength | likeness to the sentence |\n|---|---|---|---|"
    )
    for strength, *values in zip(
        STRENGTHS, *(np.mean(rows, axis=0) for rows in (content, distance, style)), strict=True
    ):
        print(f"| {strength:g} | {values[0]:.3f} | {values[1]:.3f} | {values[2]:+.3f} |")
    falling = [
        int((np.diff(rows, axis=1) < SLACK).all(axis=1).sum()) for rows in (content, distance, np.negative(style))
    ]
    print(f"\nOf {len(content)} rows SSIM falls throughout in {falling[0]}, the distance in {falling[1]}; ", end="")
    print(f"likeness rises in {falling[2]}.")
    if sheet:
        contact_sheet({name: [picture_to_pixels(one) for one in row] for name, row in sheets.items()}).save(sheet)


if __name__ == "__main__":
    typer.run(main)
