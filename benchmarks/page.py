"""How long does a visitor of the page wait? Needs Chromium.

    python benchmarks/page.py ../shared/clips/wolf.mp4

Prints the seconds from the command to a styled example on the screen, and from a change to its preview; then those from
a drop of the clip to its preview, and from the button to the finished file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from playwright.sync_api import sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main(clip: Annotated[Path, typer.Argument(help="A real clip.", exists=True)]) -> None:
    command = [sys.executable, "-m", "style_a_video.cli", "web", "--no-browser", "--port", "0", "--json"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=ARGUMENTS)
        page = browser.new_page()
        began = time.perf_counter()
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
            assert server.stdout is not None
            events = (json.loads(line) for line in server.stdout)
            page.goto(next(event["address"] for event in events if event["event"] == "web"))
            page.wait_for_selector(".compare img", timeout=120_000)
            print(f"| from the command to a styled example | {time.perf_counter() - began:.1f} s |\n|---|---|")
            page.get_by_label("or say it").fill("a comic")
            row(page, "another sentence, to its preview", lambda: page.get_by_label("or say it").press("Enter"))
            page.locator("button[aria-label='Clear']").first.click()
            drop = page.locator("input[type=file][accept*=video]")
            row(page, "a clip dropped, to its preview", lambda: drop.set_input_files(str(clip)))
            began = time.perf_counter()
            page.get_by_role("button", name="Stylize the clip").click()
            page.get_by_text("Done.").wait_for(timeout=600_000)
            print(f"| the button, to the finished clip | {time.perf_counter() - began:.1f} s |")
            server.terminate()
        browser.close()


def row(page: Any, name: str, act: Any) -> None:
    """Seconds until another preview is shown."""
    script = "document.querySelectorAll('.compare img')[1]?.src"
    before = page.evaluate(script)
    began = time.perf_counter()
    act()
    page.wait_for_function(f"before => {{ const now = {script}; return now && now !== before }}", arg=before)
    print(f"| {name} | {time.perf_counter() - began:.1f} s |", flush=True)


if __name__ == "__main__":
    typer.run(main)
