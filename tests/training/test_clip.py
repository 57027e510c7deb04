"""The tokenizer, and the encoders of text and pictures."""

from __future__ import annotations

import numpy as np
import torch

from style_a_video.styles.media import STYLE_NAMES, STYLES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training import clip
from style_a_video.training.captions import caption, corpus


def test_two_sentences_of_one_look_come_together() -> None:
    """The text-text term alone, for 80 steps: the nearest canonical sentence is the right medium's more often than
    not."""
    torch.manual_seed(0)
    tokenizer = clip.build_tokenizer(corpus())
    model = clip.build(tokenizer)
    rng = np.random.default_rng(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def embed(sentences: list[str]) -> torch.Tensor:
        tokens = tokenizer(sentences, padding=True, return_tensors="pt")
        return torch.nn.functional.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)

    for _ in range(80):
        specs = [StyleSpec(name) for name in STYLE_NAMES]
        first, second = (embed([caption(spec, rng) for spec in specs]) for _ in range(2))
        optimizer.zero_grad()
        clip._same_spec(first, second, specs, torch.tensor(20.0)).backward()
        optimizer.step()
    with torch.no_grad():
        canonical = embed([style.prompt for style in STYLES])
        asked = embed([caption(StyleSpec(name), rng) for name in STYLE_NAMES])
    right = (asked @ canonical.T).argmax(1) == torch.arange(len(STYLES))
    assert float(right.float().mean()) > 0.5


def test_the_encoders_of_a_finished_model_are_where_clip_goes_on() -> None:
    tokenizer = clip.build_tokenizer(corpus())
    torch.manual_seed(0)
    finished = clip.build(tokenizer)
    again = clip.build(tokenizer)
    clip.start_from(again, clip.text_encoder_of(finished), clip.image_encoder_of(finished))
    pictures, tokens = (
        torch.randn(2, 3, 128, 128),
        tokenizer(["a cat", "an oil painting"], padding=True, return_tensors="pt"),
    )
    with torch.no_grad():
        for one, other in zip(
            *([m.get_image_features(pictures), m.get_text_features(**tokens)] for m in (finished, again)), strict=True
        ):
            torch.testing.assert_close(one.pooler_output, other.pooler_output)
