"""Where a model lies, told without loading it."""

from __future__ import annotations

from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video import checkpoints


def test_names_of_models(tmp_path: Path) -> None:
    assert checkpoints.find_model("bundled") == checkpoints.bundled_folder()
    assert checkpoints.find_model("timbrooks/instruct-pix2pix") == "timbrooks/instruct-pix2pix"
    (tmp_path / "model_index.json").touch()
    assert checkpoints.find_model(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (" ", "name is empty"),
        ("./nothing", "there is no model"),
        ("nothing", "there is no model"),
        (".", "model_index"),
    ],
)
def test_what_is_no_model_is_one_line(model: str, message: str) -> None:
    with pytest.raises(sav.InputError, match=message):
        checkpoints.find_model(model)


def test_an_installation_without_weights_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkpoints, "_MODELS", tmp_path)
    with pytest.raises(sav.InputError, match="no bundled model"):
        checkpoints.find_model("bundled")


def test_a_judge_that_is_a_folder_must_be_there(tmp_path: Path) -> None:
    checkpoints.check_judge(None)
    checkpoints.check_judge("openai/clip-vit-base-patch32")
    checkpoints.check_judge(str(tmp_path))
    with pytest.raises(sav.InputError, match="no such folder"):
        checkpoints.check_judge("./nothing")
