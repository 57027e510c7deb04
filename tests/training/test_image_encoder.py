"""φ is trained against a text side that stays what it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from style_a_video.style_pictures import style_tokens
from style_a_video.styles import StyleSpec
from style_a_video.training import image_encoder
from style_a_video.training.image_encoder import SHARPNESS, locked_text_loss
from style_a_video.training.pairs import Pairs
from style_a_video.training.style_pictures import make_style_tokens, with_style_pictures
from style_a_video.training.unet import Batch


def test_pictures_are_drawn_to_the_sentences_of_their_look() -> None:
    """The loss is cross entropy both ways, a look's own sentences sharing the target: NumPy from the definition."""
    rng = np.random.default_rng(0)
    specs = [StyleSpec("pencil"), StyleSpec("neon"), StyleSpec("pencil"), None]
    image, text = (torch.from_numpy(rng.standard_normal((4, 6))) for _ in range(2))
    logits = SHARPNESS * image.numpy() @ text.numpy().T
    target = np.array([[1, 0, 1, 0], [0, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 2]]) / 2

    def cross_entropy(scores: np.ndarray) -> float:
        log_share = scores - np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1, keepdims=True))
        return float(-(target * (log_share - scores.max(1, keepdims=True))).sum(1).mean())

    expected = 0.5 * (cross_entropy(logits) + cross_entropy(logits.T))
    assert float(image_encoder._same_spec(image, text, specs)) == pytest.approx(expected, rel=1e-6)


def test_style_tokens_begin_with_the_projected_class_state() -> None:
    torch.manual_seed(0)
    encoder = image_encoder.build(24).eval()
    pixels = torch.randn(2, 3, image_encoder.IMAGE_SIZE, image_encoder.IMAGE_SIZE)
    with torch.no_grad():
        tokens = style_tokens(encoder, pixels)
        torch.testing.assert_close(tokens[:, 0], encoder(pixel_values=pixels).image_embeds, atol=1e-5, rtol=1e-4)
    assert tokens.shape == (2, 17, 24)


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_a_style_picture_is_another_content_in_the_same_look(work: Path) -> None:
    pairs = Pairs.open(work / "pairs")
    rows = len(pairs)
    tokens = np.zeros((rows, 25, 17, 8), np.float16)
    tokens[..., 0] = np.arange(rows)[:, None, None]
    tokens[..., 1] = np.arange(25)[:, None]
    places = tuple((k % rows, 1 + k % 24) for k in range(48))

    def draw(rng: np.random.Generator) -> Batch:
        latents = torch.zeros(48, 4, 8, 8)
        return Batch(latents, latents, latents, torch.ones(48, 5, 8), places)

    with_pictures = with_style_pictures(draw, tokens, pairs, torch.full((1, 5, 8), -1.0))
    batches = [with_pictures(np.random.default_rng(k)) for k in range(24)]
    assert {batch.text.shape[1] for batch in batches} == {5, 22}
    batch = next(batch for batch in batches if batch.text.shape[1] == 22)
    for (row, column), states in zip(places, batch.text, strict=True):
        other, medium = (int(value) for value in states[5, :2])
        assert medium == column
        assert pairs.look(other, medium) == pairs.look(row, column)
        alike = [at for at in range(rows) if pairs.look(at, column) == pairs.look(row, column)]
        assert other != row or alike == [row]
    wordless = (batch.text[:, :5] == -1).all(dim=(1, 2)).float().mean()
    assert 0.3 < float(wordless) < 0.9


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_the_loss_moves_phi_alone_and_its_tokens_are_kept(work: Path, tmp_path: Path) -> None:
    pairs = Pairs.open(work / "pairs")
    torch.manual_seed(0)
    encoder = image_encoder.build(8)
    embed = torch.nn.Embedding(64, 8)

    def sentences(texts: list[str]) -> torch.Tensor:
        with torch.no_grad():
            return torch.nn.functional.normalize(embed(torch.tensor([len(text) % 64 for text in texts])), dim=-1)

    taught = image_encoder.Taught(encoder)
    terms = locked_text_loss(taught, sentences, pairs, contents=2)(np.random.default_rng(0))
    assert set(terms) == {"sentence", "content", "told"}
    torch.stack(list(terms.values())).sum().backward()
    assert embed.weight.grad is None
    assert encoder.visual_projection.weight.grad is not None
    tokens = make_style_tokens(encoder.eval(), pairs, tmp_path / "tokens.npy")
    assert tokens.shape == (len(pairs), 25, 17, 8)
    (kept,) = tmp_path.glob("tokens-*.npy")
    stamp = kept.stat().st_mtime_ns
    make_style_tokens(encoder, pairs, tmp_path / "tokens.npy")
    assert kept.stat().st_mtime_ns == stamp
