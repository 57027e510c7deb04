"""style-a-video styles: what the bundled model knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..atomic import check_writable
from ..errors import InputError
from ..styles import STYLES
from ..styles.spec import WORDINGS
from ..video import VideoReader
from .terminal import JsonEvents, progress, show, tell


def styles(
    sentence: Annotated[str | None, typer.Argument(help="A prompt: tells what the model makes of it.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Where to draw every style on a picture.", dir_okay=False, show_default="none")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="The picture to draw them on.", show_default="the demo's", exists=True)
    ] = None,
    json: JsonEvents = False,
) -> None:
    """List the styles of the bundled model, tell what it makes of a sentence, or draw a sheet of samples."""
    if sentence is not None:
        _explain(sentence)
        return
    if image is not None and sheet is None:
        raise InputError(f"{image}: a picture is for --sheet, which draws every style on it")
    reader = VideoReader(image) if image else None
    if sheet is not None:
        if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
            raise InputError(f"{sheet} is no name for a picture: let it end in .png or .jpg")
        check_writable(sheet.parent)
    show(_media(), "styles", styles=[{"name": style.name, "prompt": style.prompt} for style in STYLES])
    show(_modifiers(), "modifiers", **{kind: list(wording.words) for kind, wording in WORDINGS.items()})
    if sheet is not None:
        _draw(sheet, reader)


def _explain(sentence: str) -> None:
    """The media that a sentence is nearest to."""
    if not sentence.strip():
        raise InputError('the sentence is empty: describe a style, e.g. "an Ukiyo-e painting"')
    from ..models.loading import quiet_libraries
    from ..models.understanding import bundled_matches, bundled_understanding

    with quiet_libraries():
        matches = bundled_matches(sentence)[:3]
        plain, lines = bundled_understanding(sentence)
    table = Table("style", "nearest phrasing", "cosine")
    for match in matches:
        table.add_row(match.medium, match.phrase, f"{match.cosine:.2f}")
    show(table, "nearest", matches=[match._asdict() for match in matches])
    said = f"the model is asked: [bold]{plain}[/]"
    if lines:
        said = "it is far from every style that the model knows: expect something vague"
    tell(said, "understood", plain=plain, far=bool(lines))


def _draw(sheet: Path, reader: VideoReader | None) -> None:
    from ..styles_sheet import draw_styles_sheet, picture_for_sheet

    picture = picture_for_sheet(reader)
    with progress("drawing", "styles") as report:
        draw_styles_sheet(sheet, picture, report)
    tell(f"[bold green]look at[/] {sheet}", "wrote", path=sheet)


def _media() -> Table:
    table = Table("style", "say", "or")
    for style in STYLES:
        table.add_row(style.name, style.prompt, "; ".join((*style.names[1:3], *style.sentences[:2])))
    return table


def _modifiers() -> Table:
    """What any style goes with."""
    words = {kind: wording.words for kind, wording in WORDINGS.items()}
    table = Table("any style goes with", "for example")
    table.add_row("a palette", "in " + "; ".join(words["palette"]))
    table.add_row("a tone", ", ".join(word for known in words["tone"].values() for word in known[:2]))
    table.add_row("marks", "; ".join(f"with {known[0]} strokes" for known in words["scale"].values()))
    table.add_row("lines", "; ".join(known[0] for known in words["line"].values()))
    table.add_row("a surface", "; ".join(known[0] for known in words["surface"].values()))
    table.add_row("a second style", "an ukiyo-e print mixed with a pencil drawing")
    return table
