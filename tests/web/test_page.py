"""The page in Chromium, as a visitor uses it."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page"), pytest.mark.timeout(300)]


def upload(page: Any, path: Path) -> None:
    page.locator("button[aria-label='Clear']").first.click()
    page.locator("input[type=file][accept*=video]").set_input_files(str(path))


def shown_picture(page: Any, which: int = 1) -> str:
    return str(page.locator(".compare img").nth(which).get_attribute("src"))


def wait_for_another(page: Any, before: str) -> str:
    page.wait_for_function(
        "before => { const one = document.querySelectorAll('.compare img')[1]; return one && one.src !== before }",
        arg=before,
    )
    return shown_picture(page)


def test_the_example_is_there_in_a_style_and_a_picked_style_is_another(page: Any) -> None:
    pencil = shown_picture(page)
    page.locator(".grid-container button").nth(3).click()
    other = wait_for_another(page, pencil)
    assert page.get_by_label("or say it").input_value() != "a pencil drawing"
    picture = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(other.split(",")[1]))))
    assert picture.std() > 10
    page.locator(".compare input").fill("80")
    assert "80%" in page.locator(".compare").get_attribute("style")


def test_what_the_model_makes_of_a_sentence_is_told_while_it_is_typed(page: Any) -> None:
    page.get_by_label("or say it").fill("wet watercolours on rough paper")
    page.get_by_text("watercolor", exact=False).nth(1).wait_for()
    page.get_by_label("or say it").fill("the square root of a tax return")
    page.get_by_text("far from every style").wait_for()


def test_upload_run_stop_play_reload_go_on_and_download(page: Any, film: Path, tmp_path: Path) -> None:
    before = shown_picture(page)
    upload(page, film)
    wait_for_another(page, before)
    page.get_by_role("button", name="Stylize the clip").click()
    bar = page.locator(".working progress")
    bar.wait_for()
    first = float(bar.get_attribute("value"))
    page.wait_for_function(
        "first => { const bar = document.querySelector('.working progress'); return bar && bar.value > first }",
        arg=first,
    )
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped; this much is finished").wait_for()
    videos = page.locator(".in-step video")
    page.wait_for_function("document.querySelectorAll('.in-step video')[1].readyState >= 2")
    stopped_at = float(videos.nth(1).evaluate("one => one.duration"))
    assert 0 < stopped_at < 3.9
    page.reload()
    page.get_by_text("Stopped; this much is finished").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Done.", exact=False).wait_for()
    page.wait_for_function("document.querySelectorAll('.in-step video')[1].readyState >= 2")
    assert abs(float(videos.nth(1).evaluate("one => one.duration")) - 4) < 0.1
    with page.expect_download() as downloaded:
        page.locator("a[download]").first.click()
    path = tmp_path / "out.mp4"
    downloaded.value.save_as(path)
    with av.open(str(path)) as container:
        assert container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) == 100


def test_both_videos_play_in_step(page: Any) -> None:
    page.get_by_role("button", name="Stylize the clip").click()
    page.get_by_text("Done.", exact=False).wait_for()
    page.wait_for_function("[...document.querySelectorAll('.in-step video')].every(one => one.readyState >= 3)")
    page.evaluate("document.querySelectorAll('.in-step video')[0].play()")
    page.wait_for_function("document.querySelectorAll('.in-step video')[1].currentTime > 0.3")
    times = page.evaluate("[...document.querySelectorAll('.in-step video')].map(one => one.currentTime)")
    assert abs(times[0] - times[1]) < 0.25
    page.evaluate("document.querySelectorAll('.in-step video')[0].pause()")
    page.wait_for_function("document.querySelectorAll('.in-step video')[1].paused")


def test_a_style_picture(page: Any, tmp_path: Path) -> None:
    before = shown_picture(page)
    page.get_by_text("More", exact=True).click()
    rng = np.random.default_rng(0)
    PIL.Image.fromarray(rng.integers(0, 255, (96, 96, 3), np.uint8)).save(tmp_path / "style.png")
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "style.png"))
    wait_for_another(page, before)


def test_measured(page: Any) -> None:
    page.get_by_role("button", name="Stylize the clip").click()
    page.get_by_text("Done.", exact=False).wait_for()
    page.get_by_role("tab", name="Measure").click()
    page.get_by_role("button", name="Measure").click()
    page.get_by_text("flickers most").wait_for()
    assert page.get_by_text("Flicker, from frame to frame").count()


def test_live(page: Any) -> None:
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").click()
    page.locator("button[aria-label='capture photo']").click()  # Gradio's name for its "Record"
    page.wait_for_selector("img[alt=live]")
    one = page.locator("img[alt=live]").get_attribute("src")
    page.wait_for_function("one => document.querySelector('img[alt=live]').src !== one", arg=one)


def test_on_a_phone(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".compare img", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    context.close()


@pytest.mark.parametrize("kind", ["a text", "300 MB", "10 hours"])
def test_what_is_refused_is_told_in_words(page: Any, clip: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "film.mp4"
    if kind == "a text":
        path.write_text("dear diary\n" * 100)
        words = re.compile("film.mp4|file type", re.IGNORECASE)
    elif kind == "300 MB":
        with path.open("wb") as file:
            file.truncate(300_000_000)
        words = re.compile("200.* MB|maximum", re.IGNORECASE)
    else:
        path = clip("film.mkv", count=2, pts=[0, 36_000_000], time_base=Fraction(1, 1000))
        words = re.compile("lasts 10.0 hours")
    upload(page, path)
    page.get_by_test_id("toast-text").filter(has_text=words).first.wait_for()


def test_neither_of_two_browsers_sees_the_others_files(browser: Any, page: Any, address: str, film: Path) -> None:
    before = shown_picture(page)
    upload(page, film)
    wait_for_another(page, before)
    page.get_by_role("button", name="Stylize the clip").click()
    page.get_by_text("Done.", exact=False).wait_for()
    sources = page.evaluate("[...document.querySelectorAll('.in-step video')].map(one => one.src)")
    assert [page.request.get(source).status for source in sources] == [200, 200]
    stranger = browser.new_context()
    asked = stranger.new_page()
    asked.goto(address)
    session = sources[1].split("/sessions/")[1].split("/")[0]
    root = sources[1].split("file=")[1].split("/sessions/")[0]
    guesses = [*sources, f"{address}gradio_api/file={root}/sessions/{session}/last_job.json",
               f"{address}gradio_api/file={root}/shared/../sessions/{session}/last_job.json",
               f"{address}gradio_api/file=/etc/passwd", f"{address}gradio_api/file=../../etc/passwd"]  # fmt: skip
    statuses = [asked.request.get(guess).status for guess in guesses]
    assert statuses == [403] * (len(guesses) - 1) + [404]  # the last is no address of a file
    stranger.close()


def test_the_example_of_the_api(address: str, film: Path, tmp_path: Path) -> None:
    program = Path(__file__).parents[2] / "examples" / "page_api.py"
    output = tmp_path / "out.mp4"
    subprocess.run([sys.executable, str(program), address, str(film), "a comic", str(output)], check=True, timeout=200)
    with av.open(str(output)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 100
