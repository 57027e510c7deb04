"""Optional packages: asked for where they are needed, in one line that says how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import InputError

EXTRAS = {
    "cluster": ("ray",),
    "demo": ("skimage",),
    "live": ("pyvirtualcam",),
    "eval": ("skimage", "scipy", "matplotlib", "jinja2"),
    "web": ("gradio", "skimage"),
    "show": ("textual_image",),
    "train": ("skimage", "sklearn", "scipy", "matplotlib", "numba"),
}
"""The extras of this project, and the modules of optional packages that each installs."""


def require(module: str, purpose: str, remedy: str) -> None:
    """Raise InputError when an optional module is not installed.

    Args:
        module: its import name.
        purpose: what needs it, the beginning of the sentence "… needs MODULE".
        remedy: what to do, the end of that sentence.
    """
    if find_spec(module) is None:
        raise InputError(f"{purpose} needs {module}: {remedy}")


def require_extra(extra: str, purpose: str) -> None:
    """Raise InputError when a module of one of the `EXTRAS` is not installed."""
    for module in EXTRAS[extra]:
        require(module, purpose, f"pip install -c constraints.txt -e '.[{extra}]' in the project's folder")
