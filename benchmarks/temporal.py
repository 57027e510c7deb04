"""Does it flicker? Every way of keeping frames together, on real clips, beside peers and beside the input itself.

    python benchmarks/temporal.py ../shared/clips [--frames 18] [--styles "ukiyo-e,pencil"]
        [--refiner FOLDER] [--paper-refiner FOLDER]

It prints, in this order:

- how well each flow estimator finds the true motion of the demo clip;
- whether steadiness on that clip depends on the flow that judges;
- a ladder of settings and two peers on the same weights: means over clips and styles of E_warp, temporal loss, style,
  content, sharpness over that of shared noise, UNet evaluations and seconds a frame (docs/method.md, section 2.7);
- E_warp over the input's own, clip by clip, of the defaults and of one stylized frame that is only moved.

Shared noise is per-frame sampling from one noise field. Stress tests are in temporal_stress.py. The ladder's results
are kept in --work, so that a run that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from torch import Tensor

import style_a_video as sav
from held_out import PROMPTS, SIDE
from style_a_video.demo import demo_clip
from style_a_video.digests import weights_digest
from style_a_video.errors import InputError
from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.clips import Clip, clip_of, read_clip
from style_a_video.evaluation.encoders import bundled_encoder
from style_a_video.evaluation.methods import Method, instruct_pix2pix, ours
from style_a_video.evaluation.metrics import measure, pair_errors
from style_a_video.evaluation.runner import fill_cells
from style_a_video.frames import pixels_to_tensor, tensor_to_pixels, video_to_tensor
from style_a_video.models.loading import load_refiner
from style_a_video.temporal import (
    correspondences_to,
    dis_flow,
    flow_both_ways,
    local_detail,
    warp_stylized,
    with_motion,
)
from style_a_video.video import ShotDetector

SHARED, INDEPENDENT, DEFAULTS = "shared noise", "independent noise", "the defaults"
MOVED = "one stylized frame a shot, moved"
FAST_CLIPS = ("skiing", "ballet", "car-turn")
LADDER: dict[str, dict[str, Any]] = {
    INDEPENDENT: {"noise": "independent", "keyframe_interval": 1, "refine": False},
    SHARED: {"noise": "shared", "keyframe_interval": 1, "refine": False},
    "warped noise": {"noise": "warped", "keyframe_interval": 1, "refine": False},
    "warped noise + refiner": {"noise": "warped", "keyframe_interval": 1},
    "shared noise + keyframes": {"noise": "shared", "refine": False},
    DEFAULTS: {},
    "--fast": {"fast": True},
    "warped noise + keyframes + refiner": {"noise": "warped"},
    "all: warped noise + anchor + keyframes + refiner": {"noise": "warped", "anchor": True},
}
"""Each row's settings of the job."""
PAPERS = "warped noise + refiner, the paper's inputs"


def end_point_errors() -> None:
    """Mean distance of found from true motion on the demo clip, where the motion is visible."""
    clip = demo_clip(frames=9)
    frames, visible = video_to_tensor(clip.frames), torch.from_numpy(clip.visible)
    estimators = {"DIS": dis_flow(), "DIS, fast": dis_flow(fast=True), "Farnebäck": farneback}
    try:
        estimators["RAFT, small"] = sav.temporal.raft_flow()
    except InputError as error:
        print(f"{error}\n")
    print("| flow | end-point error, pixels | trusted where visible | trusted where hidden |\n|---|---|---|---|")
    for name, estimate in estimators.items():
        flow, mask = flow_both_ways(estimate, frames[1:], frames[:-1])
        distance = (flow - torch.from_numpy(clip.flows)).norm(dim=1)[visible].mean()
        seen, hidden = (100 * mask[:, 0][where].mean() for where in (visible, ~visible))
        print(f"| {name} | {distance:.3f} | {seen:.1f} % | {hidden:.1f} % |")
    print(f"| (standing still) | {torch.from_numpy(clip.flows).norm(dim=1)[visible].mean():.3f} | | |\n", flush=True)


def farneback(frames: Tensor, others: Tensor) -> Tensor:
    """Another estimator (Farnebäck, 2003) than the one that the pictures follow, to judge them by."""
    grey = [
        [cv2.cvtColor(tensor_to_pixels(one[None])[0], cv2.COLOR_RGB2GRAY) for one in batch]
        for batch in (frames, others)
    ]
    flows = [
        cv2.calcOpticalFlowFarneback(a, b, np.zeros((*a.shape, 2), np.float32), 0.5, 5, 15, 5, 7, 1.5, 0)
        for a, b in zip(*grey, strict=True)
    ]
    return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous()


def moved(pipeline: sav.StyleAVideoPipeline) -> Method:
    """Every shot's first frame stylized, and only moved along the composed flow: it knows nothing of what is new."""

    def run(clip: Clip, prompt: str) -> Tensor:
        stream = list(with_motion(clip.video_frames(), dis_flow(), ShotDetector().begins_shot))
        starts = [t for t, (_, motion) in enumerate(stream) if motion is None]
        pictures = []
        for start, end in zip(starts, [*starts[1:], len(stream)], strict=True):
            first = pipeline(prompt, clip.pixels[start : start + 1], generator=seeded(), output_type="pt").frames
            assert isinstance(first, torch.Tensor)  # "pt"
            motions = [motion for _, motion in stream[start + 1 : end] if motion is not None]
            links = correspondences_to(0, first, motions)
            pictures += [first, *(warp_stylized(first, local_detail(first), link.flow) for link in links[1:])]
        return torch.cat(pictures)

    return Method(MOVED, run, {"moved": True})


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def other_judges(methods: Sequence[Method], styles: list[str]) -> None:
    """E_pair of neighbours on the demo clip by three judges: the flow followed, another one, the true one."""
    demo = demo_clip(frames=25)
    clip, frames = clip_of("demo", demo.frames), video_to_tensor(demo.frames)
    judges = {
        name: flow_both_ways(of, frames[1:], frames[:-1])
        for name, of in (("DIS", dis_flow()), ("Farnebäck", farneback))
    }
    judges["true flow"] = torch.from_numpy(demo.flows), torch.from_numpy(demo.visible)[:, None].float()
    videos = {method.name: [method.run(clip, PROMPTS[style]) for style in styles] for method in methods}
    print(f"| demo clip, neighbours | {' | '.join(judges)} |\n|---|{'---|' * len(judges)}")
    for row, outputs in (videos | {"the input": [frames]}).items():
        found = [
            np.mean([float(pair_errors(v[1:], v[:-1], *judge).mean()) for v in outputs]) for judge in judges.values()
        ]
        print(f"| {row} | {' | '.join(f'{value:.4f}' for value in found)} |", flush=True)
    print()


def table(cells: Sequence[Cell]) -> None:
    """The means of every method, and its E_warp over that of shared and of independent noise."""
    head = (
        "| | E_warp | of shared | of independent | loss 1 | loss 5 | style | content | sharpness | evaluations "
        "| s/frame |"
    )
    print(f"\n{head}\n|{'---|' * 11}")
    found = {(cell.method, cell.clip, cell.prompt): cell.means for cell in cells}
    for name in dict.fromkeys(cell.method for cell in cells):
        own = {where[1:]: means for where, means in found.items() if where[0] == name}
        mean = {key: _mean([means[key] for means in own.values()]) for key in next(iter(own.values()))}

        def ratio(key: str, base: str, own: dict[tuple[str, str], Mapping[str, float | None]] = own) -> float:
            ratios = [(means[key], found[base, *where][key]) for where, means in own.items()]
            return _mean([a / b for a, b in ratios if a is not None and b])

        print(
            f"| {name} | {mean['warp_error']:.4f} | {ratio('warp_error', SHARED):.2f} | "
            f"{ratio('warp_error', INDEPENDENT):.2f} | {mean['temporal_loss_1']:.4f} | "
            f"{mean['temporal_loss_5']:.4f} | {mean['style']:.3f} | {mean['content']:.3f} | "
            f"{ratio('sharpness', SHARED):.2f} | {mean['evaluations']:.2f} | {mean['seconds']:.3f} |",
            flush=True,
        )
    print()


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))


def against_input(clips: list[Clip], styles: list[str], cells: Sequence[Cell], pipeline: Any) -> None:
    """E_warp over the input's own: of the defaults, and of one stylized frame that is only moved."""
    judge = bundled_encoder(pipeline)
    own = {
        clip.name: measure(clip, pixels_to_tensor(clip.pixels), PROMPTS[styles[0]], judge).means()["warp_error"]
        for clip in clips
    }
    for row in (DEFAULTS, MOVED):
        found = {(cell.clip, cell.prompt): cell.means["warp_error"] for cell in cells if cell.method == row}
        print(f"| {row} | input's E_warp | {' | '.join(styles)} |\n|---|---|{'---|' * len(styles)}")
        ratios = {}
        for name, error in own.items():
            # Every one of these clips has trusted pixels; one that has none stops here.
            ratios[name] = [float(found[name, PROMPTS[style]] or np.nan) / float(error or np.nan) for style in styles]
            print(f"| {name} | {error:.4f} | {' | '.join(f'{ratio:.2f}' for ratio in ratios[name])} |")
        fast = [values for name, values in ratios.items() if name.startswith(FAST_CLIPS)]
        for label, some in (("mean", list(ratios.values())), ("mean of the fast clips", fast)):
            if some:
                print(
                    f"| {label} | {np.mean(some):.2f} in all | "
                    + " | ".join(f"{value:.2f}" for value in np.mean(some, axis=0))
                    + " |"
                )
        print(flush=True)


@torch.no_grad()
def main(
    clips: Path,
    frames: Annotated[int, typer.Option(help="Of every clip, from its beginning.")] = 18,
    styles: Annotated[str, typer.Option(help="Names, with commas between.")] = "ukiyo-e,pencil,watercolor,pop art",
    model: str = "bundled",
    refiner: Annotated[Path | None, typer.Option(help="Its folder.", show_default="the package's")] = None,
    paper_refiner: Annotated[
        Path | None, typer.Option(help="The folder of one with the paper's inputs.", show_default="none")
    ] = None,
    work: Annotated[Path, typer.Option(help="Kept results.")] = Path("out/temporal_cells"),
) -> None:
    names = [name.strip() for name in styles.split(",")]
    if unknown := [name for name in names if name not in PROMPTS]:
        raise typer.BadParameter(f"there is no style {unknown[0]!r}: choose from {', '.join(PROMPTS)}")
    end_point_errors()
    pipeline, steadying = sav.load_pipeline(model), load_refiner(refiner)
    read = [read_clip(path, SIDE, frames) for path in sorted(clips.glob("*.mp4"))]
    methods: list[Method] = [ours(pipeline, steadying, row, settings) for row, settings in LADDER.items()]
    if paper_refiner:
        chosen = LADDER["warped noise + refiner"]
        paper = ours(pipeline, load_refiner(paper_refiner), PAPERS, chosen)
        digest = weights_digest(load_refiner(paper_refiner))
        methods.append(Method(PAPERS, paper.run, paper.identity | {"refiner": digest}))
    methods += [instruct_pix2pix(pipeline, cross_frame) for cross_frame in (False, True)]
    methods.append(moved(pipeline))
    other_judges([method for method in methods if method.name in (INDEPENDENT, SHARED, DEFAULTS, MOVED)], names)
    judge = bundled_encoder(pipeline)
    prompts = [PROMPTS[name] for name in names]

    def report(done: int, total: int) -> None:
        if done % len(methods) == 0:
            print(f"{done} of {total} cells", flush=True)

    cells = fill_cells(work, methods, read, prompts, judge, pipeline, steadying, report)
    for cell in cells:
        if cell.error:
            raise SystemExit(f"{cell.method} on {cell.clip}: {cell.error}")
    table(cells)
    against_input(read, names, cells, pipeline)


if __name__ == "__main__":
    typer.run(main)
