"""What each part of the method buys: settings of the job, each group changing one thing with all others fixed."""

from __future__ import annotations

from typing import Any

Changes = dict[str, Any]
"""Settings of the job that are not its defaults."""
TIME = "time: noise, refiner, keyframes"
"""The group in which motion is what matters."""
PER_FRAME: Changes = {"keyframe_interval": 1, "refine": False}
"""The sampling groups look at the model alone: every frame in full, from one noise field, unrefined."""
TWO_STEPS: Changes = PER_FRAME | {"num_inference_steps": 2}
"""The content term in its mode "decoder" cannot move a model's only step."""
MASK_SCALE, CONTENT_WEIGHT = 0.3, 30.0
"""Of the mask and the content term where a group switches them on."""


SWEPT = {
    "s_T: guidance_scale": "guidance_scale", "s_I: image_guidance_scale": "image_guidance_scale",
    "s_M: mask_guidance_scale": "mask_guidance_scale", "λ: content_weight": "content_weight",
}  # fmt: skip
"""The groups whose rows differ in one number, and its setting."""


def groups(defaults: Changes) -> dict[str, dict[str, Changes]]:
    """{group: {row: settings of the job}}; `defaults` are the model's own."""
    text, image = float(defaults["guidance_scale"]), float(defaults["image_guidance_scale"])
    text_scales = tuple(sorted({0.0, text / 2, 1.0, text, 1.5 * text, 2 * text}))
    image_scales = (0.0, image / 2, image, 1.5 * image, 2 * image)
    content_weights = (0.0, CONTENT_WEIGHT / 3, CONTENT_WEIGHT, 3 * CONTENT_WEIGHT)
    return {
        "s_T: guidance_scale": _swept("s_T", "guidance_scale", text_scales),
        "s_I: image_guidance_scale": _swept("s_I", "image_guidance_scale", image_scales),
        "s_M: mask_guidance_scale": _swept("s_M", "mask_guidance_scale", (0.0, MASK_SCALE, 2 * MASK_SCALE, 1.0)),
        "λ: content_weight": _swept("λ", "content_weight", content_weights, TWO_STEPS),
        "conditions on and off (independent guidance)": _conditions(text, image),
        "conditions on and off (joint guidance, in which text stands on the frame)": _nested_conditions(text, image),
        "guidance": {
            kind + (" + mask" if mask else ""): PER_FRAME | {"guidance": kind, "mask_guidance_scale": mask}
            for kind in ("joint", "independent")
            for mask in (0.0, MASK_SCALE)
        },
        "mask and optimization, exact or not": {
            "neither": TWO_STEPS,
            "mask exact": TWO_STEPS | {"mask_guidance_scale": MASK_SCALE, "mask_refresh": "exact"},
            "mask lagged": TWO_STEPS | {"mask_guidance_scale": MASK_SCALE, "mask_refresh": "lagged"},
            "optimization exact": TWO_STEPS | {"content_weight": CONTENT_WEIGHT, "optimization": "exact"},
            "optimization decoder-only": TWO_STEPS | {"content_weight": CONTENT_WEIGHT, "optimization": "decoder"},
        },
        TIME: {
            "independent noise": PER_FRAME | {"noise": "independent"},
            "shared noise": PER_FRAME,
            "warped noise": PER_FRAME | {"noise": "warped"},
            "shared noise + refiner": {"keyframe_interval": 1},
            "shared noise + keyframes": {"refine": False},
            "shared noise + keyframes + refiner": {},
            "warped noise + keyframes + refiner": {"noise": "warped"},
        },
    }  # fmt: skip


def _swept(symbol: str, name: str, values: tuple[float, ...], others: Changes = PER_FRAME) -> dict[str, Changes]:
    return {f"{symbol} = {value:g}": others | {name: value} for value in dict.fromkeys(values)}


def _nested_conditions(text: float, image: float) -> dict[str, Changes]:
    """Joint guidance has no text without the frame: ε(c_I, c_T) is measured from ε(c_I, ∅)."""
    rows = {"none": _joint(0.0, 0.0, 0.0)}
    for with_text in (False, True):
        for with_mask in (False, True):
            name = "frame" + " + text" * with_text + " + mask" * with_mask
            rows[name] = _joint(text * with_text, image, MASK_SCALE * with_mask)
    return rows


def _joint(text: float, image: float, mask: float) -> Changes:
    scales = {"guidance_scale": text, "image_guidance_scale": image, "mask_guidance_scale": mask}
    return PER_FRAME | {"guidance": "joint"} | scales


def _conditions(text: float, image: float) -> dict[str, Changes]:
    rows = {}
    for with_text in (False, True):
        for with_image in (False, True):
            for with_mask in (False, True):
                names = [n for n, on in (("text", with_text), ("frame", with_image), ("mask", with_mask)) if on]
                rows[" + ".join(names) or "none"] = PER_FRAME | {
                    "guidance": "independent", "guidance_scale": text * with_text,
                    "image_guidance_scale": image * with_image,
                    "mask_guidance_scale": MASK_SCALE * with_mask,
                }  # fmt: skip
    return rows
