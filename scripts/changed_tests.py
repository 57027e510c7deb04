"""Print the tests of what has changed since the last commit: the file that mirrors a module, or its folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = Path("src/style_a_video")
ALWAYS = "tests/test_architecture.py"


def changed_files() -> list[Path]:
    """Changed against HEAD, and new."""
    listed = [
        subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for arguments in (("diff", "--name-only", "HEAD"), ("ls-files", "--others", "--exclude-standard"))
    ]
    return [Path(line) for line in "".join(listed).splitlines()]


def tests_of(path: Path) -> list[str]:
    """The tests of one file: itself, the file that mirrors it, or the nearest folder that does."""
    if path.suffix != ".py":
        return []
    if path.parts[0] == "tests":
        return [path.as_posix()] if path.name.startswith("test_") and (ROOT / path).exists() else []
    if not path.is_relative_to(PACKAGE):
        return []
    inner = path.relative_to(PACKAGE)
    mirrors = [Path("tests") / inner.parent / f"test_{inner.stem.removeprefix('__')}.py"]
    mirrors += [Path("tests") / folder for folder in inner.parents if folder != Path(".")]
    found = [mirror.as_posix() for mirror in mirrors if (ROOT / mirror).exists()]
    return found[:1]


if __name__ == "__main__":
    print(*sorted({ALWAYS, *(test for path in changed_files() for test in tests_of(path))}))
