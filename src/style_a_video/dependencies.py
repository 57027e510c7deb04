"""Optional packages: asked for where they are needed, in one line that says how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import InputError

EXTRAS = {"skimage": "demo", "sklearn": "train", "scipy": "train", "matplotlib": "eval", "jinja2": "eval"}
"""Modules of optional packages, and the extra of this project that installs each."""


def require(module: str, purpose: str) -> None:
    """Raise InputError when an optional module is not installed.

    Args:
        module: its import name.
        purpose: what needs it, the beginning of the sentence "… needs MODULE".
    """
    if find_spec(module) is None:
        install = f"'style-a-video[{EXTRAS[module]}]'" if module in EXTRAS else module
        raise InputError(f"{purpose} needs {module}: pip install {install}")
