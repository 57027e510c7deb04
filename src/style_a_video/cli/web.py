"""style-a-video web: the page."""

from __future__ import annotations

import threading
import warnings
import webbrowser
from typing import Annotated

import typer

from ..checkpoints import find_model
from ..dependencies import require_extra
from ..errors import InputError
from .options import DEFAULTS, Model
from .terminal import JsonEvents, tell

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def web(
    model: Model = DEFAULTS.model,
    host: Annotated[str, typer.Option(help="Where it listens; 0.0.0.0 lets others in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 7860,
    auth: Annotated[
        str | None, typer.Option(help="NAME:PASSWORD that visitors have to give.", show_default="none")
    ] = None,
    max_megabytes: Annotated[int, typer.Option(help="Of an upload.", min=1)] = 200,
    max_seconds: Annotated[float, typer.Option(help="Of a clip.", min=0.1)] = 60.0,
    max_size: Annotated[int, typer.Option(help="Of the working size, in pixels.", min=160, max=4096)] = 512,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    json: JsonEvents = False,
) -> None:
    """Open a page to play with: drop a clip, pick a style, look at one frame, stylize. Ctrl-C ends it."""
    require_extra("web", "the page")
    find_model(model)
    if auth is not None and (":" not in auth or auth.startswith(":") or auth.endswith(":")):
        raise InputError("--auth is NAME:PASSWORD")
    from pathlib import Path

    from ..web.limits import Limits
    from ..web.serve import serving, temporary_root

    name, _, password = (auth or "").partition(":")
    tell("[dim]the model draws a picture of every style…[/]", "starting")
    limits = Limits(max_megabytes, max_seconds, max_size)
    with (
        temporary_root() as root,
        serving(model, host, port, (name, password) if auth else None, limits, Path(root)) as address,
    ):
        tell(f"[bold green]at[/] {address}  (Ctrl-C ends it)", "web", address=address)
        if host not in LOOPBACK and not auth:
            warnings.warn("whoever reaches this machine can use it: --auth asks for a password", stacklevel=1)
        if browser:
            webbrowser.open(address)
        threading.Event().wait()
