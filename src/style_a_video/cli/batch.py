"""style-a-video batch: many files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..batch import Row, rows_of, run_batch, write_outcomes
from ..checkpoints import find_model
from ..settings import OutputSize
from .options import DEFAULTS, ClusterAddress, Model, setting, workers
from .terminal import JsonEvents, console, progress, show


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Videos, folders, patterns, and tables (.csv, .jsonl: video, prompt, output, settings)."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the outputs and batch.json.", file_okay=False)],
    prompt: Annotated[
        list[str] | None, typer.Option("--prompt", help="A style; give it again for more.", show_default="the table's")
    ] = None,
    model: Model = DEFAULTS.model,
    seed: Annotated[int, setting("seed")] = DEFAULTS.seed,
    fast: Annotated[bool, setting("fast", "--fast")] = DEFAULTS.fast,
    strength: Annotated[float, setting("strength")] = DEFAULTS.strength,
    preserve_color: Annotated[bool, setting("preserve_color", "--preserve-color")] = DEFAULTS.preserve_color,
    size: Annotated[int | None, setting("size")] = DEFAULTS.size,
    output_size: Annotated[OutputSize, setting("output_size")] = DEFAULTS.output_size,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make outputs that are there already anew.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start clips anew that were stopped in the middle.")] = False,
    cluster: ClusterAddress = None,
    json: JsonEvents = False,
) -> None:
    """Many files with one model load. What fails is told at the end, and the exit code is 1; the rest is made.

    Run it again: what is there already, made in the same way, is kept.
    """
    find_model(model)
    given = {
        "model": model, "seed": seed, "fast": fast, "strength": strength, "preserve_color": preserve_color,
        "size": size, "output_size": output_size,
    }  # fmt: skip
    usual = DEFAULTS.model_dump()
    settings = {name: value for name, value in given.items() if value != usual[name]}
    rows = rows_of(inputs, prompt or [], out, settings)

    def watch(row: Row) -> AbstractContextManager[Callable[[int, int], None]]:
        return progress(f"{rows.index(row) + 1}/{len(rows)} {row.output.name}")

    with workers(cluster) as workers_there:
        if workers_there is None:
            outcomes = run_batch(rows, overwrite, fresh, watch)
        else:
            with progress("batch", "files") as report:
                outcomes = []
                for outcome in workers_there.rows(rows, overwrite, fresh):
                    outcomes.append(outcome)
                    report(len(outcomes), len(rows))
    record = write_outcomes(out, outcomes)
    table = Table("output", "status", "frames", "seconds", "why", box=None, header_style="bold")
    for outcome in outcomes:
        counts = (str(outcome.frames), f"{outcome.seconds:.1f}") if outcome.status == "made" else ("", "")
        table.add_row(Path(outcome.output).name, outcome.status, *counts, outcome.error)
    show(table, "outcomes", outcomes=[asdict(outcome) for outcome in outcomes], record=record)
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    console.print(f"{len(outcomes) - failed} of {len(outcomes)} are there; {record}")
    if failed:
        raise typer.Exit(1)
