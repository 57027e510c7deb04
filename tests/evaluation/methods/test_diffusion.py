"""Peers on the same weights."""

from __future__ import annotations

from style_a_video.evaluation import methods, studies

PENCIL = "Make it a pencil drawing."


def test_cross_frame_attention_sees_the_first_frame(study: studies.Study) -> None:
    """Peers differ after the first frame alone."""
    study.pipeline.register_to_config(
        sampling_defaults=study.pipeline.config.sampling_defaults | {"guidance_scale": 4.0}
    )
    for name, weight in study.pipeline.unet.named_parameters():
        if "attn1.to_" in name:
            weight.data.mul_(6)  # A random model hardly attends.
    plain, across = (
        methods.instruct_pix2pix(study.pipeline, cross).run(study.clips[0], PENCIL) for cross in (False, True)
    )
    first, later = ((plain[k] - across[k]).abs().mean() for k in (0, 2))
    assert first < 1e-5
    assert later > 100 * first
    assert later > 1e-4
