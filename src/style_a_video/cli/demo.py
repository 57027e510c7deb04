"""style-a-video demo: what `make demo` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..atomic import check_writable
from ..dependencies import require_extra
from .terminal import JsonEvents, progress, tell


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to leave the videos and the sheet.", file_okay=False)] = Path(
        "out/demo"
    ),
    json: JsonEvents = False,
) -> None:
    """Make a clip, stylize it in three styles on the bundled model, and draw a contact sheet."""
    check_writable(folder)
    require_extra("demo", "the demo's photograph")
    from ..demo import run_demo

    with progress("demo") as report:
        results, sheet = run_demo(folder, report)
    for result in results:
        rate = result.frames / result.seconds
        tell(f"[bold green]wrote[/] {result.output}  ({rate:.2f} frames/s)", "wrote", path=result.output, rate=rate)
    tell(f"[bold green]look at[/] {sheet}", "wrote", path=sheet)
