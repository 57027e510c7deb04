"""Did a change of the code change a picture? Prints the SHA-256 of the frames that a fixed set of jobs makes.

    python benchmarks/picture_digests.py ../shared/clips > before.txt
    python benchmarks/picture_digests.py ../shared/clips > after.txt && diff before.txt after.txt

The lists are comparable on one machine and one set of library versions only.
"""

from __future__ import annotations

import hashlib
import tempfile
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import PIL.Image
import typer

import style_a_video as sav
from style_a_video.video import VideoReader

CLIPS = ("wolf", "skiing", "tea-pour")
FRAMES = 18
"""Frames of each clip: two keyframe intervals and two frames more."""
PROMPT = "Make it an Ukiyo-e painting."
JOBS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "fast": {"fast": True},
    "four branches": {"guidance": "independent", "guidance_scale": 1.5, "mask_guidance_scale": 0.3},
    "content weight": {"content_weight": 30.0, "num_inference_steps": 2},
    "every frame in full": {"keyframe_interval": 1},
    "warped noise": {"noise": "warped"},
}


def write_frames(folder: Path, clips: list[Path], frames_each: int) -> Path:
    """The first frames of the clips, one clip after the other, at 256 by 448 pixels as a folder of PNGs."""
    folder.mkdir()
    pictures = [frame.pixels for clip in clips for frame in islice(VideoReader(clip).frames((448, 256)), frames_each)]
    for index, pixels in enumerate(pictures):
        PIL.Image.fromarray(pixels).save(folder / f"{index:05d}.png")
    return folder


def frames_digest(folder: Path) -> str:
    """SHA-256 of the decoded frames of a folder of PNGs."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.png")):
        digest.update(np.asarray(PIL.Image.open(path)).tobytes())
    return digest.hexdigest()


def main(clips: Annotated[Path, typer.Argument(help="Folder of clips.")]) -> None:
    """Print one line a clip and job: digest, clip, job."""
    pipeline = sav.load_pipeline()
    found = {path.stem: path for name in CLIPS for path in clips.glob(f"{name}*.mp4")}
    if len(found) != len(CLIPS):
        raise typer.BadParameter(f"{clips} needs one clip of each: {', '.join(CLIPS)}")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        runs = [(stem, write_frames(work / stem, [path], FRAMES), JOBS) for stem, path in found.items()]
        paths = list(found.values())
        for first, second in zip(paths, [*paths[1:], paths[0]], strict=True):
            cut = f"{first.stem}, cut to {second.stem}"
            runs.append((cut, write_frames(work / cut, [first, second], FRAMES // 2), {"defaults": {}}))
        for stem, source, jobs in runs:
            for job, settings in jobs.items():
                output = work / f"{stem} {job}"
                sav.stylize(source, PROMPT, output, pipeline=pipeline, seed=0, **settings)
                print(f"{frames_digest(output)}  {stem}: {job}", flush=True)


if __name__ == "__main__":
    typer.run(main)
