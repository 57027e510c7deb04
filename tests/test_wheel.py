"""The wheel: built, installed in an environment of its own, and run from there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import PIL.Image
import pytest

ROOT = Path(__file__).parents[1]
LARGEST_MB = 100
"""PyPI takes no larger file."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the project and nothing old gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run([*command, "--quiet", "--disable-pip-version-check"], cwd=folder, check=True)
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.mark.slow
def test_it_runs_where_only_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """What it depends on is taken from this environment, by path; the package itself is the wheel's."""
    assert wheel.stat().st_size < LARGEST_MB * 1e6
    venv.create(tmp_path / "env", with_pip=False)
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--quiet", str(wheel)]
    subprocess.run([*command, "--disable-pip-version-check"], check=True)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "in.png")
    where = [python, "-c", "import style_a_video; print(style_a_video.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(packages)
    job = [scripts / "style-a-video", "stylize", "in.png", "a pencil drawing", "out.png", "--size", "48"]
    done = subprocess.run(job, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert PIL.Image.open(tmp_path / "out.png").size == (64, 48)
