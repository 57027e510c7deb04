"""Options that commands share, and options that are settings."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from ..dependencies import require
from ..settings import MODEL_DEFAULTS, Settings

DEFAULTS = Settings()


def setting(name: str, *flags: str, shown: str | bool = True) -> Any:
    """The option of a setting: its help is the setting's own. `shown` stands for a default that is not its value."""
    text = (Settings.model_fields[name].description or "").replace("[", r"\[")
    return typer.Option(*flags, help=text, show_default="the model's" if name in MODEL_DEFAULTS else shown)


Model = Annotated[str, setting("model")]
Clips = Annotated[list[Path], typer.Argument(help="Videos, GIFs or folders of images.", exists=True)]
Prompts = Annotated[list[str], typer.Option("--prompt", help="A style; give it again for more.")]
Judge = Annotated[
    str | None,
    typer.Option(help="CLIP that measures content and style: a hub id or a folder.", show_default="the model's φ"),
]


def load_studies() -> ModuleType:
    """The measuring half of the package, which needs more than the base install. Raises InputError without it."""
    for module in ("skimage", "scipy", "matplotlib", "jinja2"):
        require(module, "measuring")
    from ..evaluation import studies

    return studies
