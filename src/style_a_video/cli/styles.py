"""style-a-video styles: what the bundled model knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..atomic import check_writable
from ..checkpoints import bundled_folder
from ..errors import InputError
from ..styles import Vocabulary
from ..styles.spec import LINES, PALETTES, SCALES, SURFACES, TONES
from ..video import VideoReader
from .terminal import console, progress


def styles(
    sheet: Annotated[Path, typer.Option(help="Where to draw every style on a picture.", dir_okay=False)] = Path(
        "out/styles.png"
    ),
    image: Annotated[
        Path | None, typer.Option(help="The picture to draw them on.", show_default="the demo's", exists=True)
    ] = None,
) -> None:
    """List the styles of the bundled model and draw a sample sheet of them."""
    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(f"{sheet} is no name for a picture: let it end in .png or .jpg")
    check_writable(sheet.parent)
    vocabulary = Vocabulary.read(bundled_folder())
    reader = VideoReader(image) if image else None
    from ..styles_sheet import draw_styles_sheet, picture_for_sheet

    picture = picture_for_sheet(reader)
    table = Table("style", "say", "or name")
    for style in vocabulary.styles:
        table.add_row(style.name, style.prompt, ", ".join((*style.phrases[1:3], *style.artists[:3])))
    Console().print(table)
    Console().print(modifiers())
    with progress("drawing", "styles") as report:
        draw_styles_sheet(sheet, picture, report)
    console.print(f"[bold green]look at[/] {sheet}")


def modifiers() -> Table:
    """What any style goes with."""
    table = Table("any style goes with", "for example")
    table.add_row("a palette", "; ".join(palette.phrases[0] for palette in PALETTES.values()))
    table.add_row("a tone", ", ".join(word for words in TONES.values() for word in words) + "  (a dark oil painting)")
    table.add_row("marks", ", ".join(word for _, words in SCALES.values() for word in words) + "  (with bold strokes)")
    table.add_row("lines", "; ".join(words[0] for _, words in LINES.values()))
    table.add_row("a surface", "; ".join(words[0] for words in SURFACES.values()))
    table.add_row("a second style", "an ukiyo-e print mixed with a pencil drawing")
    return table
