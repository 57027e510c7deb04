"""Options that commands share, and options that are settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..checkpoints import check_judge, find_model
from ..dependencies import require_extra
from ..settings import MODEL_DEFAULTS, Settings

if TYPE_CHECKING:
    from ..cluster import Cluster

DEFAULTS = Settings()


def setting(name: str, *flags: str, shown: str | bool = True, choices: Iterable[str] = ()) -> Any:
    """The option of a setting: its help is the setting's own, with the names that it can take.

    Args:
        shown: stands for a default that is not its value.
    """
    text = Settings.model_fields[name].description or ""
    text += f" One of: {', '.join(choices)}." if choices else ""
    return typer.Option(*flags, help=text, show_default="the model's" if name in MODEL_DEFAULTS else shown)


Model = Annotated[str, setting("model")]
Clips = Annotated[list[Path], typer.Argument(help="Videos, GIFs or folders of images.", exists=True)]
Prompts = Annotated[list[str], typer.Option("--prompt", help="A style; give it again for more.")]
Judge = Annotated[
    str | None,
    typer.Option(help="CLIP that measures content and style: a hub id or a folder.", show_default="the model's φ"),
]


ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster", help="Have Ray's workers do it: local, auto (the Ray that runs here), or ray://HOST:10001.",
        show_default="this process",
    ),
]  # fmt: skip


@contextmanager
def workers(address: str | None) -> Iterator[Cluster | None]:
    """The workers at an address; None without one. Raises InputError where nothing answers."""
    if address is None:
        yield None
        return
    from ..cluster import open_cluster

    with open_cluster(address) as cluster:
        yield cluster


def load_studies(model: str, judge: str | None) -> ModuleType:
    """The measuring half of the package, which needs more than the base install.

    Raises InputError without it, and for a model or a judge that is not there.
    """
    find_model(model)
    check_judge(judge)
    require_extra("eval", "measuring")
    from ..evaluation import studies

    return studies
