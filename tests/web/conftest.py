"""The page, served by a process of its own, and a visitor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "style_a_video.cli", "web", "--no-browser", "--port", "0", "--json"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        for line in server.stdout:
            event = json.loads(line)
            if event["event"] == "web":
                break
            assert event["event"] in ("note", "starting"), line
        yield event["address"]
        server.terminate()
        assert server.wait(20) == 128 + 15


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A new visitor on the page; whatever the browser's console calls an error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.set_default_timeout(60_000)
    opened.goto(address)
    opened.wait_for_selector(".compare img")
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds, long enough to be stopped."""
    from tests.conftest import moving_picture, write_clip

    return write_clip(tmp_path_factory.mktemp("film") / "film.mp4", moving_picture(100, 192, 128), audio="aac")
