"""style-a-video doctor: versions, device, memory, and what is missing."""

from __future__ import annotations

import importlib.util
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ..dependencies import EXTRAS
from ..errors import InputError
from .terminal import JsonEvents, show


def doctor(json: JsonEvents = False) -> None:
    """Versions, device, memory, and what is missing."""
    table = Table("what", "found", show_header=False)
    table.add_row("python", platform.python_version())
    missing = False
    for package in ("style-a-video", "torch", "diffusers", "transformers", "av", "numpy"):
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            missing = True
            table.add_row(package, "[red]missing: pip install style-a-video, or pip install -e . in its folder[/]")
    if not missing:
        _describe_machine(table)
    for extra, modules in EXTRAS.items():
        if missing_ones := [module for module in modules if importlib.util.find_spec(module) is None]:
            names = ", ".join(missing_ones)
            table.add_row(f"for {extra}", rf"[yellow]missing: {names}; pip install -e '.\[{extra}]' in its folder[/]")
    rows = zip(*(map(_plain, column.cells) for column in table.columns), strict=True)
    show(table, "doctor", **dict(rows))


def _plain(cell: Any) -> str:
    return Text.from_markup(str(cell)).plain


def _describe_machine(table: Table) -> None:
    from ..devices import best_device, compute_dtype
    from ..models import bundled_folder

    device = best_device()
    table.add_row("device", f"{device}, {str(compute_dtype(device)).removeprefix('torch.')}")
    table.add_row("memory", _memory())
    try:
        folder = bundled_folder()
        megabytes = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
        table.add_row("bundled model", f"{megabytes:.0f} MB in {folder}")
    except InputError as error:
        table.add_row("bundled model", f"[red]{error}[/]")


def _memory() -> str:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free on {torch.cuda.get_device_name()}"
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        available, total_kib = (int(fields[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
        return f"{available / 2**20:.1f} of {total_kib / 2**20:.1f} GiB free"
    except (OSError, KeyError):
        return "unknown on this system"
