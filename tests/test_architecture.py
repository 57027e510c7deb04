"""The rooms of docs/architecture.md: imports point down, light rooms stay light, lines and files stay short."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "style_a_video"
ROOMS = (
    ("errors",),
    (
        "affine",
        "atomic",
        "dependencies",
        "devices",
        "digests",
        "original_colors",
        "schedulers",
        "sheets",
        "style_pictures",
    ),
    ("frames", "settings", "styles"),
    ("checkpoints", "video"),
    ("plan",),
    ("guidance", "self_attention", "optimization", "temporal"),
    ("sampling",),
    ("pipeline",),
    ("models",),
    ("stream",),
    ("journal", "live", "record"),
    ("segments",),
    ("job",),
    ("batch",),
    ("cluster",),
    ("demo",),
    ("styles_sheet",),
    ("training",),
    ("evaluation",),
    ("web",),
    ("cli",),
)
"""From the lowest to the highest; those of one line do not know each other."""
HEIGHT = {room: height for height, rooms in enumerate(ROOMS) for room in rooms}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_modules(name: str) -> Iterator[str]:
    """The package's modules that a module imports, anywhere in its text."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
        base = ".".join(part for part in (above, node.module) if part)
        for alias in node.names:
            target = f"{base}.{alias.name}"
            found = target if target in MODULES else base
            if found in MODULES and found != name:
                yield found


def room_of(name: str) -> str:
    return name.split(".")[1]


def test_every_module_is_in_a_room() -> None:
    assert {room_of(name) for name in MODULES if name != "style_a_video"} == set(HEIGHT)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "style_a_video"])
def test_no_import_points_to_a_room_above_or_beside(name: str) -> None:
    for target in imported_modules(name):
        if target != "style_a_video" and room_of(target) != room_of(name):
            assert HEIGHT[room_of(target)] < HEIGHT[room_of(name)], f"{name} imports {target}"


def test_no_imports_go_in_a_circle() -> None:
    """A package's own `__init__` counts as what is above its modules."""
    graph = {
        name: {target for target in imported_modules(name) if not name.startswith(f"{target}.")}
        for name in MODULES
        if name != "style_a_video"
    }
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("module", ["settings", "styles", "plan", "video", "checkpoints", "cli"])
def test_the_light_rooms_pull_in_neither_torch_nor_diffusers(module: str) -> None:
    program = (
        f"import sys, style_a_video.{module}; "
        "print(sorted({'torch', 'diffusers', 'transformers', 'scipy', 'skimage'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


TEXTS = [
    path
    for folder in ("src", "tests", "benchmarks", "docs", "scripts", ".github", ".")
    for path in sorted((ROOT / folder).glob("*" if folder == "." else "**/*"))
    if path.suffix in (".py", ".md", ".toml", ".yml", ".cff", ".sh", ".j2", ".svg", "") and path.is_file()
    if path.name not in ("LICENSE", ".git", ".coverage") and not re.search(r"__pycache__|egg-info", str(path))
]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lines_and_files_are_short(path: Path) -> None:
    """Lines of at most 120 characters everywhere, files of at most 400 lines where there is code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {line}" for number, line in enumerate(lines, start=1) if len(line) > 120] == []
    assert path.suffix != ".py" or len(lines) <= 400
