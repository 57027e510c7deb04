"""The ablation changes one thing at a time."""

from __future__ import annotations

import json
import re

import pytest

from style_a_video.evaluation import studies
from style_a_video.evaluation.ablation import groups

PENCIL = "Make it a pencil drawing."


@pytest.mark.slow
def test_ablation_changes_one_thing_at_a_time(study: studies.Study) -> None:
    defaults = study.pipeline.defaults()
    for title, rows in groups(defaults).items():
        if title[:3] in ("s_T", "s_I", "s_M", "λ: "):
            names = {name for row in rows.values() for name in row} - {
                "keyframe_interval",
                "refine",
                "num_inference_steps",
            }
            assert len(names) == 1
            assert len({json.dumps(row, sort_keys=True) for row in rows.values()}) == len(rows)
    assert len(groups(defaults)["conditions on and off (independent guidance)"]) == 8
    page, cells = studies.ablate(study)
    assert not any(cell.error for cell in cells)
    markdown = (page.parent / "report.md").read_text()
    assert "Changed: guidance_scale. Held fixed: " in markdown
    assert re.search(
        r"## s_T: guidance_scale\n\n[^#]*\bimage_guidance_scale 1\.0\b[^#]*\bkeyframe_interval 1\b", markdown
    )
    assert len(cells) == 2 * sum(map(len, groups(defaults).values()))
    # Equal settings are computed once, in however many groups and words: these rows are all the plain job's, of the
    # model's own steps and of two.
    same = {cell.method: [other for other in cells if other.method == cell.method] for cell in cells}
    for plain in (("s_T = 1.5", "s_I = 1", "s_M = 0", "joint", "shared noise"), ("λ = 0", "neither")):
        assert len({json.dumps([found.means for found in same[name]]) for name in plain}) == 1
    assert len({found.video for found in same["joint"]}) == 2
    assert len(list(study.work.glob("*.json"))) < len(cells) - 10
    assert "s_T = 1.5" in (page.parent / "report.md").read_text()
