"""style-a-video stylize: the job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..checkpoints import find_model
from ..dependencies import require_extra
from ..errors import InputError
from ..plan import plan_job
from ..schedulers import SCHEDULERS
from ..settings import FLOWS, Guidance, MaskRefresh, Optimization, OutputSize, ShotNoise
from .options import DEFAULTS, ClusterAddress, Model, setting, workers
from .terminal import JsonEvents, console, draw, progress, tell


def stylize(
    video: Annotated[Path, typer.Argument(help="Video, GIF, image, or folder of images (played at 25 frames/s).")],
    prompt: Annotated[
        str, typer.Argument(help='The style, e.g. "Make it an Ukiyo-e painting." Not needed beside --style-image.')
    ],
    output: Annotated[
        Path | None,
        typer.Argument(help=".mp4, .m4v, .mov, .mkv, .webm, .gif, .webp, .png, .jpg, or a folder for PNGs."),
    ] = None,
    model: Model = DEFAULTS.model,
    seed: Annotated[int, setting("seed")] = DEFAULTS.seed,
    negative_prompt: Annotated[str, setting("negative_prompt")] = DEFAULTS.negative_prompt,
    style_image: Annotated[str | None, setting("style_image", shown="none")] = DEFAULTS.style_image,
    style_image_weight: Annotated[float, setting("style_image_weight")] = DEFAULTS.style_image_weight,
    fast: Annotated[bool, setting("fast", "--fast")] = DEFAULTS.fast,
    steps: Annotated[int | None, setting("num_inference_steps")] = DEFAULTS.num_inference_steps,
    scheduler: Annotated[
        str | None, setting("scheduler", shown="the model's", choices=SCHEDULERS)
    ] = DEFAULTS.scheduler,
    guidance: Annotated[Guidance | None, setting("guidance")] = DEFAULTS.guidance,
    guidance_scale: Annotated[float | None, setting("guidance_scale")] = DEFAULTS.guidance_scale,
    image_guidance_scale: Annotated[float | None, setting("image_guidance_scale")] = DEFAULTS.image_guidance_scale,
    mask_guidance_scale: Annotated[float | None, setting("mask_guidance_scale")] = DEFAULTS.mask_guidance_scale,
    mask_refresh: Annotated[MaskRefresh, setting("mask_refresh")] = DEFAULTS.mask_refresh,
    content_weight: Annotated[float | None, setting("content_weight")] = DEFAULTS.content_weight,
    optimization: Annotated[Optimization, setting("optimization")] = DEFAULTS.optimization,
    noise: Annotated[ShotNoise, setting("noise")] = DEFAULTS.noise,
    keyframe_interval: Annotated[
        int | None, setting("keyframe_interval", shown="8, or 1 if --fast")
    ] = DEFAULTS.keyframe_interval,
    flow: Annotated[str, setting("flow", choices=FLOWS)] = DEFAULTS.flow,
    anchor: Annotated[bool, setting("anchor", "--anchor")] = DEFAULTS.anchor,
    refine: Annotated[bool, setting("refine", "--refine/--no-refine")] = DEFAULTS.refine,
    strength: Annotated[float, setting("strength")] = DEFAULTS.strength,
    preserve_color: Annotated[bool, setting("preserve_color", "--preserve-color")] = DEFAULTS.preserve_color,
    size: Annotated[int | None, setting("size")] = DEFAULTS.size,
    output_size: Annotated[OutputSize, setting("output_size")] = DEFAULTS.output_size,
    start: Annotated[float, setting("start_s")] = DEFAULTS.start_s,
    end: Annotated[float | None, setting("end_s", shown="the end")] = DEFAULTS.end_s,
    batch_size: Annotated[int, setting("batch_size")] = DEFAULTS.batch_size,
    preview: Annotated[bool, typer.Option("--preview", help="Only the middle frame, as a .png beside OUTPUT.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of going on after a stop.")] = False,
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="If stopped, make a playable OUTPUT of the finished frames.")
    ] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Open VIDEO only in processes with limits: for files of strangers.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Draw a frame of it in the terminal.")] = False,
    cluster: ClusterAddress = None,
    json: JsonEvents = False,
) -> None:
    """Stylize a video by a sentence. Frame count, timing and sound stay the input's."""
    if output is None:
        # Of two names the second is the output; the picture tells the style.
        if style_image is None:
            raise InputError("stylize takes VIDEO PROMPT OUTPUT; without PROMPT give --style-image")
        prompt, output = "", Path(prompt)
    find_model(model)
    if show:
        require_extra("show", "--show")
    plan = plan_job(
        video, prompt, output, overwrite=overwrite, preview=preview, fresh=fresh, keep_partial=keep_partial,
        isolate=isolate,
        model=model, seed=seed, fast=fast,
        negative_prompt=negative_prompt, num_inference_steps=steps, style_image=style_image,
        style_image_weight=style_image_weight, scheduler=scheduler, guidance=guidance,
        guidance_scale=guidance_scale, image_guidance_scale=image_guidance_scale, size=size, start_s=start, end_s=end,
        mask_guidance_scale=mask_guidance_scale, mask_refresh=mask_refresh, content_weight=content_weight,
        optimization=optimization, noise=noise, keyframe_interval=keyframe_interval, flow=flow, anchor=anchor,
        refine=refine, strength=strength, preserve_color=preserve_color, output_size=output_size, batch_size=batch_size,
    )  # fmt: skip
    from .. import job

    with workers(cluster) as workers_there, progress("stylizing") as report:
        result = job.run_job(plan, None, job.Watcher(report), workers_there)
    sizes = (result.source_size, result.working_size, result.output_size)
    source, working, final = ("x".join(map(str, size)) for size in sizes)
    frames = "1 frame" if result.frames == 1 else f"{result.frames} frames"
    tell(
        f"[bold green]wrote[/] {result.output}  ({frames} in {result.seconds:.1f} s)", "wrote", path=result.output,
        record=result.record, frames=result.frames, seconds=round(result.seconds, 3),
    )  # fmt: skip
    if show:
        draw(result.output)
    console.print(f"input {source}, worked at {working}, output {final}; settings in {result.record.name}")
    if min(result.output_size) < min(result.source_size):
        console.print("larger: --output-size source (enlarged), or --size for finer marks on more pixels")
