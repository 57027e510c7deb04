"""Print the tests of what has changed since the last commit: those that mirror a file, and those that name it."""

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


def tests_of(path: Path) -> set[Path]:
    """The tests of one file: itself, or the file that mirrors it and all that name it."""
    tests = list((ROOT / "tests").rglob("test_*.py"))
    if path.parts[0] == "tests":
        return {test for test in tests if test == ROOT / path or (path.name == "conftest.py" and len(path.parts) > 2)}
    if path.is_relative_to(PACKAGE):
        inner = path.relative_to(PACKAGE)
        mirror = ROOT / "tests" / inner.parent / f"test_{inner.stem}.py"
        name = f"style_a_video.{'.'.join(inner.with_suffix('').parts).removesuffix('.__init__')}"
    else:
        mirror, name = ROOT / "nowhere", path.stem
    return {test for test in tests if test == mirror or name in test.read_text(encoding="utf-8")}


if __name__ == "__main__":
    found = {test.relative_to(ROOT).as_posix() for path in changed_files() for test in tests_of(path)}
    print(*sorted({ALWAYS, *found}))
