"""Guidance (docs/method.md, section 2.3): a weighted sum of UNet outputs, with weights that add up to 1.

Because they do, the sum may be taken of ε-, v- or sample-predictions alike. At fixed z_t these are affine in one
another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from torch import Tensor

from .settings import Guidance


class Branch(NamedTuple):
    """One set of conditions under which the UNet is evaluated."""

    image: Literal["none", "frame", "mask"]
    """What the image slot holds: nothing (zeros), c_I, or c_M."""
    text: bool
    """Whether the prompt is given; otherwise ∅ (the negative prompt)."""


UNCONDITIONAL = Branch("none", False)
IMAGE = Branch("frame", False)
TEXT = Branch("none", True)
BOTH = Branch("frame", True)
MASK = Branch("mask", False)


def branch_weights(guidance: Guidance, s_image: float, s_text: float, s_mask: float) -> dict[Branch, float]:
    """Weights of the branches whose weight is not zero (the others need not be evaluated).

    `independent` (the paper's):  (1 − s_I − s_T − s_M)·ε(∅,∅) + s_I·ε(c_I,∅) + s_T·ε(∅,c_T) + s_M·ε(c_M,∅)
    `joint` (InstructPix2Pix's):  ε' + s_I·(ε(c_I,∅) − ε') + s_T·(ε(c_I,c_T) − ε(c_I,∅)) + s_M·(ε(c_M,∅) − ε')

    Raises ValueError for another form's name.
    """
    if guidance == "independent":
        weights = {UNCONDITIONAL: 1 - s_image - s_text - s_mask, IMAGE: s_image, TEXT: s_text, MASK: s_mask}
    elif guidance == "joint":
        weights = {UNCONDITIONAL: 1 - s_image - s_mask, IMAGE: s_image - s_text, BOTH: s_text, MASK: s_mask}
    else:
        raise ValueError(f"guidance is {guidance!r}; it must be 'independent' or 'joint'")
    return {branch: weight for branch, weight in weights.items() if abs(weight) > 1e-9}


def combine(predictions: Mapping[Branch, Tensor], weights: Mapping[Branch, float]) -> Tensor:
    """ε̃ = Σ weight · prediction over the branches of `weights`; all predictions have one shape."""
    terms = [weight * predictions[branch] for branch, weight in weights.items()]
    return sum(terms[1:], start=terms[0])


def combine_independent(
    eps_uncond: Tensor,
    eps_image: Tensor,
    eps_text: Tensor,
    eps_mask: Tensor,
    s_image: float,
    s_text: float,
    s_mask: float,
) -> Tensor:
    """The paper's guidance (`independent`, equation 2.3a) of four predictions of one shape."""
    predictions = {UNCONDITIONAL: eps_uncond, IMAGE: eps_image, TEXT: eps_text, MASK: eps_mask}
    return combine(predictions, branch_weights("independent", s_image, s_text, s_mask))


def combine_joint(
    eps_uncond: Tensor,
    eps_image: Tensor,
    eps_both: Tensor,
    eps_mask: Tensor,
    s_image: float,
    s_text: float,
    s_mask: float,
) -> Tensor:
    """InstructPix2Pix's nested guidance with the mask term added (`joint`, equation 2.3b)."""
    predictions = {UNCONDITIONAL: eps_uncond, IMAGE: eps_image, BOTH: eps_both, MASK: eps_mask}
    return combine(predictions, branch_weights("joint", s_image, s_text, s_mask))
