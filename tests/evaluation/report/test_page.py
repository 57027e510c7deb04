"""The report in a real browser: it needs no network, its players play in step, and the console is empty."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import style_a_video as sav
from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.clips import clip_of
from style_a_video.evaluation.media import time_slice, write_video
from style_a_video.evaluation.report import Report, Section, write_report
from tests.conftest import moving_picture


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two methods and one that failed, on a clip of two seconds."""
    folder = tmp_path_factory.mktemp("report")
    frames = moving_picture(20, 64, 48)
    cells = []
    for name, pixels in (("plain", frames), ("inverse", 255 - frames)):
        write_video(folder / f"{name}.mp4", pixels, Fraction(10))
        PIL.Image.fromarray(time_slice(pixels)).save(folder / f"{name}.png")
        means = {"warp_error": 0.1, "style": 0.2, "content": 0.3, "sharpness": 0.01, "seconds": 0.5, "evaluations": 4.0}
        cells.append(
            Cell(name, "clip", "a <b>bold</b> sketch", "φ", means, "", f"{name}.mp4", f"{name}.png", f"{name}.png")
        )
    cells.append(Cell("broken", "clip", "a <b>bold</b> sketch", "φ", {}, "it has no legs"))
    report = Report(
        "Comparison",
        "made by a test",
        [Section("All", cells, players=True)],
        [clip_of("clip", frames, Fraction(10))],
        folder,
    )
    return write_report(report, folder / "out")


def test_it_plays_in_step(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    messages: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    times = "() => [...document.querySelectorAll('video')].map(v => v.currentTime)"
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(v => v.readyState >= 2)")
    assert page.evaluate(times) == [0, 0, 0]
    page.click("text=play")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.6")
    assert np.ptp(page.evaluate(times)) < 0.15
    # One that is put off, as a slow decoder would be, is put right.
    page.evaluate("() => { document.querySelectorAll('video')[2].currentTime += 0.5; }")
    spread = (
        "() => { const t = [...document.querySelectorAll('video')].map(v => v.currentTime);"
        " return Math.max(...t) - Math.min(...t); }"
    )
    page.wait_for_function(f"({spread})() < 0.1")
    assert page.evaluate("() => !document.querySelector('video').paused")
    page.click("text=pause")
    stopped = page.evaluate(times)
    assert np.ptp(stopped) < 0.05
    page.wait_for_timeout(200)
    assert page.evaluate(times) == stopped
    page.locator("input[type=range]").fill("250")
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every(v => Math.abs(v.currentTime - 0.5) < 0.06)"
    )
    assert messages == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    page.close()


def test_it_loops(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(v => v.readyState >= 2)")
    page.locator("input[type=range]").fill("950")
    page.click("text=play")
    page.wait_for_function(
        "() => { const t = document.querySelector('video').currentTime; return t > 0.1 && t < 1.5; }"
    )
    assert messages == []
    page.close()


def test_its_words(page_file: Path) -> None:
    text = page_file.read_text()
    assert "it has no legs" in text
    assert "failed in 1 of 1" in text
    assert "a &lt;b&gt;bold&lt;/b&gt; sketch" in text
    assert "http" not in re.sub(r"data:[a-z0-9/]+;base64,[A-Za-z0-9+/=]+", "", text)
    assert "E_warp ↓" in text
    assert "style ↑" in text
    markdown = (page_file.parent / "report.md").read_text()
    assert markdown.startswith("# Comparison")
    for words in ("95 % confidence interval over clips", "no independent judge"):
        assert words in text
        assert words in markdown


def test_a_video_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(sav.InputError, match="cannot write"):
        write_video(tmp_path / "file" / "clip.mp4", moving_picture(2, 32, 32), Fraction(10))
