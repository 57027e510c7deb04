"""The reader: what it is taught, what it makes of sentences, and when it leaves them alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from style_a_video.models import bundled_folder
from style_a_video.models.reader import Reader, SpecHeads, classes_of
from style_a_video.models.understanding import PhraseIndex, bundled_understanding, understood
from style_a_video.styles import STYLES
from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import CHOICES, PALETTES, StyleSpec, plain_sentence
from style_a_video.training.text import bundled_text_encoder


def test_classes_name_every_part_of_a_spec() -> None:
    spec = StyleSpec("mosaic", palette=list(PALETTES)[2], second="neon")
    found = dict(zip(CHOICES, classes_of(spec), strict=True))
    assert found["medium"] == 1 + STYLE_NAMES.index("mosaic")
    assert found["second"] == 1 + STYLE_NAMES.index("neon")
    assert found["palette"] == 3
    assert found["tone"] == found["scale"] == found["line"] == found["surface"] == 0
    assert classes_of(None) == [0] * len(CHOICES)


def test_losses_are_cross_entropies() -> None:
    torch.manual_seed(0)
    heads = SpecHeads(6)
    features = torch.randn(3, 6)
    specs = [StyleSpec("comic"), None, StyleSpec("neon", tone="dark")]
    losses = heads.losses(features, specs)
    for k, name in enumerate(CHOICES):
        logits = heads[name](features).detach().double().numpy()
        expected = 0.0
        for row, spec in zip(logits, specs, strict=True):
            expected += (np.log(np.exp(row).sum()) - row[classes_of(spec)[k]]) / 3
        assert float(losses[name]) == pytest.approx(expected, abs=1e-5)


def test_padding_changes_nothing(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reader = Reader(12, 16).eval()
    states = torch.randn(2, 5, 12)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    other = states.clone()
    other[0, 3:] = 7.0
    torch.testing.assert_close(reader(states, mask), reader(other, mask))
    torch.testing.assert_close(reader(states, mask)[:1], reader(states[:1, :3], mask[:1, :3]))
    reader.save(tmp_path)
    torch.testing.assert_close(Reader.load(tmp_path)(states, mask), reader(states, mask), atol=1e-2, rtol=1e-2)


def test_what_is_plain_stays_as_it_is() -> None:
    for style in STYLES:
        assert bundled_understanding(style.prompt) == (style.prompt, [])


@pytest.mark.parametrize(
    ("sentence", "spec"),
    [
        ("wet watercolours on rough paper", StyleSpec("watercolor")),
        ("a mosaic with huge tiles in teal and gold", StyleSpec("mosaic", palette="teal and gold", scale="huge")),
        ("a dark linocut", StyleSpec("linocut", tone="dark")),
    ],
)
def test_sentences_are_read(sentence: str, spec: StyleSpec) -> None:
    plain, lines = bundled_understanding(sentence)
    assert plain == plain_sentence(spec)
    assert lines == []


def test_where_the_reader_is_not_sure_the_nearest_phrasing_tells_the_medium() -> None:
    encoder, tokenizer = bundled_text_encoder()

    class Unsure(Reader):
        def read(self, *_: object) -> None:
            return None

    index = PhraseIndex.read(bundled_folder())
    plain, _ = understood(index, Unsure(384), encoder, tokenizer, "wet watercolours on rough paper")
    assert plain == "Make it a watercolor painting."


def test_plain_sentences_tell_all_parts_apart() -> None:
    rng = np.random.default_rng(0)
    fields = list(CHOICES.values())
    drawn = [
        [str(rng.choice(names)) if k == 0 or rng.random() < 0.5 else "" for k, names in enumerate(fields)]
        for _ in range(300)
    ]
    specs = {StyleSpec(*parts) for parts in drawn}
    specs = {spec for spec in specs if spec.second != spec.medium}
    assert len({plain_sentence(spec) for spec in specs}) == len(specs)
