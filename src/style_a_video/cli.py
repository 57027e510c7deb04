"""The command line: style-a-video stylize | demo | styles | doctor | train | evaluate | compare | ablate."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import cli_evaluation
from .console import console, progress
from .errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


def main() -> None:
    """Entry point: an InputError becomes one line and exit code 2, Ctrl-C one line and 130."""
    warnings.showwarning = _show_warning
    try:
        # Typer hands back 130 for Ctrl-C instead of raising it.
        code = app(standalone_mode=False)
        if code == 130:
            raise KeyboardInterrupt
        sys.exit(code or 0)
    except InputError as error:
        _fail(str(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        _fail("stopped; nothing was left half-written", 130)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except Exception as error:
        # click's own usage errors know how to show themselves.
        if not hasattr(error, "show"):
            raise
        error.show()
        sys.exit(2)


def _fail(message: str, code: int) -> None:
    console.print(Text("error: ", style="bold red") + Text(" ".join(message.split())), soft_wrap=True)
    sys.exit(code)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning) and not issubclass(category, DeprecationWarning | FutureWarning):
        console.print(Text("note: ", style="bold yellow") + Text(str(message)), soft_wrap=True)


@app.command()
def stylize(
    video: Annotated[Path, typer.Argument(help="Video, GIF, image, or folder of images (played at 25 frames/s).")],
    prompt: Annotated[str, typer.Argument(help='The style, e.g. "Make it an Ukiyo-e painting."')],
    output: Annotated[
        Path, typer.Argument(help=".mp4, .m4v, .mov, .mkv, .webm, .png, .jpg, or a folder name for PNGs.")
    ],
    model: Annotated[str, typer.Option(help="'bundled', a diffusers folder, or a hub id.")] = "bundled",
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 0,
    negative_prompt: Annotated[str, typer.Option(help="What the picture should not be.")] = "",
    fast: Annotated[
        bool, typer.Option("--fast", help="Quicker and rougher: fewest steps, no refinement network, coarser flow.")
    ] = False,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", show_default="the model's")] = None,
    guidance: Annotated[
        str | None, typer.Option(help="joint, or independent (the paper's).", show_default="the model's")
    ] = None,
    guidance_scale: Annotated[
        float | None, typer.Option(help="s_T: how much style.", show_default="the model's")
    ] = None,
    image_guidance_scale: Annotated[
        float | None, typer.Option(help="s_I: how much of the frame.", show_default="the model's")
    ] = None,
    mask_guidance_scale: Annotated[
        float | None, typer.Option(help="s_M: self-attention condition.", show_default="the model's")
    ] = None,
    mask_refresh: Annotated[str, typer.Option(help="exact or lagged.")] = "lagged",
    content_weight: Annotated[
        float | None, typer.Option(help="λ: CLIP-guided sampling.", show_default="the model's")
    ] = None,
    optimization: Annotated[str, typer.Option(help="exact or decoder: how far λ's gradient flows.")] = "decoder",
    noise: Annotated[
        str, typer.Option(help="shared (steady), warped (moves with the picture) or independent.")
    ] = "shared",
    keyframe_interval: Annotated[
        int, typer.Option(help="Every how many frames one is made in full, the others from it; 1: every frame.")
    ] = 8,
    flow: Annotated[
        str, typer.Option(help="What estimates motion: dis, or raft where torchvision is installed.")
    ] = "dis",
    anchor: Annotated[
        bool, typer.Option("--anchor", help="Frames made in full also attend to their shot's first.")
    ] = False,
    refine: Annotated[
        bool | None,
        typer.Option(
            "--refine/--no-refine", help="Steady the result by the refinement network.", show_default="unless --fast"
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Working size: short side in pixels, 32 to 4096, made even.", show_default="the model's"),
    ] = None,
    output_size: Annotated[str, typer.Option(help="working, or source for the input's own size.")] = "working",
    start: Annotated[float, typer.Option(help="Begin at this second.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Stop before this second.", show_default="the end")] = None,
    batch_size: Annotated[
        int,
        typer.Option(help="Frames held at once; of keyframes, as many as this holds intervals are denoised together."),
    ] = 8,
    preview: Annotated[bool, typer.Option("--preview", help="Only the middle frame, as a .png beside OUTPUT.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
) -> None:
    """Stylize a video by a sentence; frame count, timing and sound stay the input's."""
    from . import job

    with progress("stylizing") as report:
        result = job.stylize(
            video, prompt, output, overwrite=overwrite, preview=preview, on_progress=report, model=model, seed=seed,
            negative_prompt=negative_prompt, fast=fast, num_inference_steps=steps, guidance=guidance, guidance_scale=guidance_scale,
            image_guidance_scale=image_guidance_scale, mask_guidance_scale=mask_guidance_scale, mask_refresh=mask_refresh,
            content_weight=content_weight, optimization=optimization, noise=noise, size=size, output_size=output_size,
            keyframe_interval=keyframe_interval, flow=flow, anchor=anchor, refine=refine, start_s=start, end_s=end, batch_size=batch_size,
        )  # fmt: skip
    source, working, final = (
        "x".join(map(str, pair)) for pair in (result.source_size, result.working_size, result.output_size)
    )
    frames = "1 frame" if result.frames == 1 else f"{result.frames} frames"
    console.print(f"[bold green]wrote[/] {result.output}  ({frames} in {result.seconds:.1f} s)")
    console.print(f"input {source}, worked at {working}, output {final}; settings in {result.record.name}")
    if min(result.output_size) < min(result.source_size):
        console.print("larger: --output-size source (enlarged), or --size for finer marks on more pixels")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to leave the videos and the sheet.")] = Path("out/demo"),
) -> None:
    """Make a clip, stylize it in three styles on the bundled model, and draw a contact sheet."""
    from .demo import run_demo

    with progress("demo") as report:
        results, sheet = run_demo(folder, report)
    for result in results:
        console.print(f"[bold green]wrote[/] {result.output}  ({result.frames / result.seconds:.2f} frames/s)")
    console.print(f"[bold green]look at[/] {sheet}")


@app.command()
def styles(
    sheet: Annotated[Path, typer.Option(help="Where to draw every style on a picture.")] = Path("out/styles.png"),
    image: Annotated[Path | None, typer.Option(help="The picture to draw them on.", show_default="the demo's")] = None,
) -> None:
    """List the styles of the bundled model and draw a sample sheet of them."""
    from .models.loading import bundled_folder
    from .models.vocabulary import Knowledge
    from .styles_sheet import draw_styles_sheet, picture_for_sheet

    knowledge = Knowledge.of(bundled_folder())
    picture = picture_for_sheet(sheet, image)

    table = Table("style", "say", "or name")
    for style in knowledge.styles:
        table.add_row(style.name, style.prompt, ", ".join((*style.phrases[1:3], *style.artists[:3])))
    Console().print(table)
    Console().print(_modifiers())
    with progress("drawing") as report:
        draw_styles_sheet(sheet, picture, report)
    console.print(f"[bold green]look at[/] {sheet}")


def _modifiers() -> Table:
    from .models.looks import LINES, PALETTES, SCALES, SURFACES, TONES

    table = Table("any style goes with", "for example")
    table.add_row("a palette", "; ".join(palette.phrases[0] for palette in PALETTES.values()))
    table.add_row("a tone", ", ".join(word for words in TONES.values() for word in words) + "  (a dark oil painting)")
    table.add_row("marks", ", ".join(word for _, words in SCALES.values() for word in words) + "  (with bold strokes)")
    table.add_row("lines", "; ".join(words[0] for _, words in LINES.values()))
    table.add_row("a surface", "; ".join(words[0] for words in SURFACES.values()))
    table.add_row("a second style", "an ukiyo-e print mixed with a pencil drawing")
    return table


@app.command()
def doctor() -> None:
    """Versions, device, memory, and what is missing."""
    from importlib.metadata import PackageNotFoundError, version

    remedy = "pip install -e . in the project's folder"
    table = Table("what", "found", show_header=False)
    table.add_row("python", platform.python_version())
    missing = False
    for package in ("style-a-video", "torch", "diffusers", "transformers", "av", "numpy"):
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            missing = True
            table.add_row(package, f"[red]missing: {remedy}[/]")
    if not missing:
        _describe_machine(table)
    for module, extra in (("skimage", "demo"), ("sklearn", "train"), ("matplotlib", "eval"), ("jinja2", "eval")):
        if importlib.util.find_spec(module) is None:
            table.add_row(f"for {extra}", f"[yellow]missing: pip install -e '.\\[{extra}]' in the project's folder[/]")
    Console().print(table)


def _describe_machine(table: Table) -> None:
    from .models.loading import best_device, best_dtype, bundled_folder

    device = best_device()
    table.add_row("device", f"{device}, {str(best_dtype(device)).removeprefix('torch.')}")
    table.add_row("memory", _memory())
    try:
        folder = bundled_folder()
        megabytes = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
        table.add_row("bundled model", f"{megabytes:.0f} MB in {folder}")
    except InputError as error:
        table.add_row("bundled model", f"[red]{error}[/]")


def _memory() -> str:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free on {torch.cuda.get_device_name()}"
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        available, total_kib = (int(fields[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
        return f"{available / 2**20:.1f} of {total_kib / 2**20:.1f} GiB free"
    except (OSError, KeyError):
        return "unknown on this system"


@app.command()
def train(
    part: Annotated[str, typer.Argument(help="What to train: bundled, or the refiner of the bundled model.")],
    work: Annotated[Path, typer.Option(help="Pairs, checkpoints and logs; a run goes on from what is there.")] = Path(
        "training"
    ),
    output: Annotated[
        Path | None, typer.Option(help="Where to write what is finished.", show_default="WORK/PART")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.", show_default="the best there is")] = None,
    seed: Annotated[int, typer.Option(help="Seed of pictures, batches and weights.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render the pairs of the bundled model.")] = 2,
    form: Annotated[
        str, typer.Option(help="What the refiner sees: warped, or paper (the frames where they are).")
    ] = "warped",
    scale: Annotated[float, typer.Option(help="Multiplies every budget; 0.01 is a quick trial.")] = 1.0,
    budget: Annotated[
        list[str] | None, typer.Option(help="NAME=COUNT sets one, e.g. unet_steps=1600.", show_default="the recipe's")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="A finished model whose encoders and UNet are trained further.", show_default="from nothing"),
    ] = None,
) -> None:
    """Train the bundled model from nothing (pictures, teachers, first stage, CLIP, UNet), or the refiner. Stops and resumes at
    any point."""
    if part not in ("bundled", "refiner"):
        raise InputError(f"there is no recipe {part!r}: choose bundled or refiner")
    if part == "refiner" and (start or device not in (None, "cpu")):
        raise InputError(
            "--start and --device are for the bundled model: the refiner is trained from nothing, on the CPU"
        )
    if form not in ("warped", "paper"):
        raise InputError(f"--form is {form!r}: choose warped or paper")
    if part == "bundled" and form != "warped":
        raise InputError("--form is for the refiner: leave it out")
    if not (scale > 0 and scale < float("inf")):
        raise InputError(f"--scale is {scale}: give a number above 0")
    if workers < 1 or seed < 0:
        raise InputError(f"--workers is {workers} and --seed {seed}: give at least 1 and 0")
    try:
        from .training import bundled, refiner
    except ImportError as error:
        raise InputError(f"training needs {error.name}: pip install -e '.[train]' in the project's folder") from error
    from .models.loading import best_device, check_device, quiet_libraries
    from .temporal.refiner import Form

    device = device or best_device()
    check_device(device)
    began = time.perf_counter()
    output = output or work / part
    recipe = bundled.Budget() if part == "bundled" else refiner.Budget()
    scaled = {name: max(1, round(value * scale)) for name, value in vars(recipe).items()}
    counts = scaled | _counts(budget or [], list(scaled))
    with quiet_libraries():
        if part == "bundled":
            counted = bundled.Budget(**counts)
            bundled.train_bundled(work, output, counted, device, seed, workers, start)
        else:
            refiner.train_refiner(work, output, "bundled", refiner.Budget(**counts), seed, cast(Form, form))
    console.print(f"[bold green]wrote[/] {output}  ({(time.perf_counter() - began) / 60:.1f} min)")


def _counts(entries: list[str], names: list[str]) -> dict[str, int]:
    """{"unet_steps": 1600} from ["unet_steps=1600"]."""
    counts = {}
    for entry in entries:
        name, _, count = entry.partition("=")
        least = 0 if name.endswith("_steps") else 1
        if name not in names or not (count.isdecimal() and int(count) >= least):
            raise InputError(
                f"--budget {entry}: give NAME=COUNT, NAME one of {', '.join(names)}, COUNT a whole number (0 leaves a stage out)"
            )
        counts[name] = int(count)
    return counts


for command in (cli_evaluation.evaluate, cli_evaluation.compare, cli_evaluation.ablate):
    app.command()(command)

if __name__ == "__main__":
    main()
