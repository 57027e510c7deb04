"""Words that mean nothing to a model are named, with known ones that are spelt like them."""

from __future__ import annotations

from pathlib import Path

from style_a_video.models import bundled_folder
from style_a_video.styles.vocabulary import Vocabulary, prompt_warnings, unknown_words


def test_strange_words_are_named_with_the_nearest_known() -> None:
    found = unknown_words("Make it a pensil drawing in teel and gold")
    assert list(found) == ["pensil", "teel"]
    assert found["pensil"][0] == "pencil"
    assert "teal" in found["teel"]
    assert unknown_words("xqzzk") == {"xqzzk": []}
    assert unknown_words("a paintng")["paintng"][0] == "painting"
    assert prompt_warnings("a pencil drawing by Frida Kahlo") == ["'frida', 'kahlo' mean nothing to this model"]


def test_a_model_knows_what_its_record_says(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('{"styles": ["pencil", "mosaic"]}')
    young = Vocabulary.read(tmp_path)
    assert [style.name for style in young.styles] == ["pencil", "mosaic"]
    assert prompt_warnings("Make it a pencil drawing.", young) == []
    assert "charcoal" in unknown_words("a pencil drawing crossed with charcoal", young)
    assert any("names no style" in line and "pencil, mosaic" in line for line in prompt_warnings("a linocut", young))
    assert Vocabulary.read(bundled_folder()).styles
