"""style-a-video train: the bundled model, or its refiner."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..dependencies import require_extra
from ..errors import InputError
from ..settings import BUNDLED
from ..training.budgets import SMOKE, BundledBudget, RefinerBudget
from .terminal import JsonEvents, tell


def train(
    part: Annotated[
        Literal["bundled", "refiner", "material"],
        typer.Argument(help="What to train: the bundled model or its refiner. material fetches pictures to train on."),
    ],
    folder: Annotated[
        Path | None, typer.Argument(help="Of the material.", show_default="WORK/material", file_okay=False)
    ] = None,
    work: Annotated[
        Path, typer.Option(help="Pairs, checkpoints and logs. A run goes on from what is there.", file_okay=False)
    ] = Path("training"),
    output: Annotated[
        Path | None, typer.Option(help="Where to write what is finished.", show_default="WORK/PART")
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda", "mps"] | None,
        typer.Option(help="Where the bundled model is trained.", show_default="the best there is"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of pictures, batches and weights.", min=0)] = 0,
    material: Annotated[
        Path | None,
        typer.Option(
            help="What `train material` fetched.", show_default="generated pictures", exists=True, file_okay=False
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that render the pairs of the bundled model.", min=1)] = 2,
    form: Annotated[
        Literal["warped", "paper"], typer.Option(help="What the refiner sees: warped frames, or frames as they are.")
    ] = "warped",
    scale: Annotated[float, typer.Option(help="Multiplies every budget; 0.01 is a quick trial.")] = 1.0,
    smoke: Annotated[bool, typer.Option("--smoke", help="A step or two of every stage of the bundled model.")] = False,
    budget: Annotated[
        list[str] | None, typer.Option(help="NAME=COUNT sets one, e.g. unet_steps=1600.", show_default="the recipe's")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="A finished model whose encoders and UNet are trained further.",
            show_default="from nothing", exists=True, file_okay=False,
        ),
    ] = None,
    json: JsonEvents = False,
) -> None:  # fmt: skip
    """Train the bundled model from nothing, or the refiner. Stop it at any point and run it again: it goes on."""
    if part == "material":
        _fetch(folder or work / "material")
        return
    if folder is not None:
        raise InputError(f"{folder}: a folder is for material; --work and --output are for {part}")
    if part == "refiner" and (start or device not in (None, "cpu")):
        raise InputError(
            "--start and --device are for the bundled model: the refiner is trained from nothing, on the CPU"
        )
    if part == "bundled" and form != "warped":
        raise InputError("--form is for the refiner: leave it out")
    if not 0 < scale < float("inf"):
        raise InputError(f"--scale is {scale}: give a number above 0")
    if smoke and part != "bundled":
        raise InputError("--smoke is for the bundled model: use --scale")
    recipe = vars((SMOKE if smoke else BundledBudget()) if part == "bundled" else RefinerBudget())
    amounts = {name: max(1, round(value * scale)) for name, value in recipe.items()} | _counts(budget or [], recipe)
    require_extra("train", "training")
    from ..devices import best_device, check_device
    from ..models.loading import quiet_libraries
    from ..training import bundled, refiner
    from ..training.material import Material

    chosen_device = device or best_device()
    check_device(chosen_device)
    began = time.perf_counter()
    output = output or work / part
    with quiet_libraries():
        if part == "bundled":
            pictures = Material(material) if material else None
            bundled.train_bundled(work, output, BundledBudget(**amounts), chosen_device, seed, workers, pictures, start)
        else:
            refiner.train_refiner(work, output, BUNDLED, RefinerBudget(**amounts), seed, form)
    minutes = (time.perf_counter() - began) / 60
    tell(f"[bold green]wrote[/] {output}  ({minutes:.1f} min)", "wrote", path=output, minutes=round(minutes, 2))


def _fetch(folder: Path) -> None:
    from ..training.material import fetch

    fetch(folder)
    said = f"[bold green]fetched[/] {folder}; whose the pictures are stands in {folder / 'licences'}"
    tell(said, "fetched", path=folder)


def _counts(entries: list[str], names: Collection[str]) -> dict[str, int]:
    """{"unet_steps": 1600} from ["unet_steps=1600"]. Raises InputError for an unknown name or a bad number."""
    counts = {}
    for entry in entries:
        name, _, count = entry.partition("=")
        least = 0 if name.endswith(("_steps", "_pictures")) else 1
        if name not in names or not (count.isdecimal() and int(count) >= least):
            known = ", ".join(names)
            raise InputError(
                f"--budget {entry}: give NAME=COUNT, NAME one of {known}, COUNT a whole number (0 leaves a stage out)"
            )
        counts[name] = int(count)
    return counts
