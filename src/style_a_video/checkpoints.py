"""Where a model lies: the bundled one, a folder in diffusers' layout, or a hub id. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from .errors import InputError
from .settings import BUNDLED

_MODELS = Path(__file__).parent / "models"
REFINER_FOLDER = _MODELS / "refiner"
"""The refiner that the package ships."""


def bundled_folder() -> Path:
    """Where the bundled model lies inside the package. Raises InputError when this installation has none."""
    folder = _MODELS / "bundled"
    if not (folder / "model_index.json").is_file():
        raise InputError(
            "this installation has no bundled model: reinstall it, or train one with `style-a-video train bundled`"
        )
    return folder


def find_model(model: str | Path) -> str | Path:
    """The folder or hub id that a model's name stands for.

    Args:
        model: "bundled", a folder in diffusers' layout, or a hub id (owner/name).

    Raises:
        InputError: for an empty name, and for a path where no model lies.
    """
    if str(model) == BUNDLED:
        return bundled_folder()
    if not str(model).strip():
        raise InputError("the model's name is empty: give 'bundled', a diffusers folder or a hub id (owner/name)")
    path = Path(model).expanduser()
    looks_local = path.is_absolute() or str(model).startswith((".", "~")) or str(model).count("/") != 1
    if path.is_dir() and not (path / "model_index.json").is_file():
        raise InputError(f"{path} holds no model_index.json: give a folder in diffusers' layout")
    if not path.exists() and looks_local:
        raise InputError(
            f"there is no model {str(model)!r}: give 'bundled', a diffusers folder or a hub id (owner/name)"
        )
    return path if path.is_dir() else str(model)


def check_judge(judge: str | None) -> None:
    """Raise InputError where the CLIP that should measure is named as a folder that is not there."""
    if judge and judge.startswith(("/", "./", "../", "~")) and not Path(judge).expanduser().is_dir():
        raise InputError(f"--judge {judge}: there is no such folder")
