"""The examples run as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import PIL.Image
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
def test_the_notebook_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell in one namespace, as Jupyter does; what a cell ends with is what it shows."""
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "quickstart.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            *lines, last = "".join(cell["source"]).splitlines()
            exec("\n".join(lines), names)
            shown.append(eval(last, names))
    assert sum(isinstance(one, PIL.Image.Image) for one in shown) == 4
    assert names["sheet"].std() > 20
    with av.open("pencil.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 24
