"""Optional packages are asked for in one line, and the base install needs no others."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import style_a_video as sav
from style_a_video import dependencies

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL_ROOMS = ("training", "evaluation", "web")


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def imported_at_the_top(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names)


def test_the_base_install_has_what_the_core_imports() -> None:
    package = ROOT / "src" / "style_a_video"
    core = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in OPTIONAL_ROOMS]
    imported = set().union(*(imported_at_the_top(path) for path in core))
    distributions = packages_distributions()
    needed = {distributions[module][0].lower().replace("_", "-") for module in imported}
    assert needed <= names_of(PROJECT["dependencies"])


def test_extras_install_the_modules_that_are_asked_for() -> None:
    packages = {"skimage": "scikit-image", "sklearn": "scikit-learn", "textual_image": "textual-image"}
    for extra, modules in dependencies.EXTRAS.items():
        wanted = {packages.get(module, module) for module in modules}
        assert wanted <= names_of(PROJECT["optional-dependencies"][extra])


def test_what_is_missing_is_one_line_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None if name == "sklearn" else "there")
    dependencies.require_extra("eval", "measuring")
    with pytest.raises(sav.InputError, match=r"training needs sklearn: pip install .* '\.\[train\]'"):
        dependencies.require_extra("train", "training")


def test_the_version_is_one() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.findall(r"^version: (.*)$", citation, re.MULTILINE)[0]
    assert cited == PROJECT["version"] == sav.__version__
