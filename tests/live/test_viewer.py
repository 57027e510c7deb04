"""The page on this machine."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

import style_a_video as sav
from style_a_video.live.viewer import State, Viewer

STRIPES = np.repeat(np.array([[[200, 40, 40]], [[40, 40, 200]]], np.uint8), 32, axis=0).repeat(64, axis=1)


@pytest.fixture
def asked() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def viewer(asked: list[dict[str, Any]]) -> Iterator[Viewer]:
    def change(**wanted: Any) -> None:
        if not wanted.get("prompt", "x"):
            raise sav.InputError("the prompt is empty")
        asked.append(wanted)

    one = Viewer(State("a cat", 0.5, False), change)
    yield one
    one.close()


def call(viewer: Viewer, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(viewer.address).netloc, timeout=5)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_what_is_shown_is_streamed(viewer: Viewer) -> None:
    connection = http.client.HTTPConnection(urlsplit(viewer.address).netloc, timeout=5)
    viewer.show(STRIPES)
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    assert answer.readline() == b"--frame\r\n"
    assert answer.readline() == b"Content-Type: image/jpeg\r\n"
    length = int(answer.readline().split()[1])
    answer.readline()
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(answer.read(length), np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert np.abs(picture.astype(int) - STRIPES)[4:28].mean() < 5


def test_the_page_and_its_state(viewer: Viewer) -> None:
    assert b"<img" in call(viewer, "GET", "/")[1]
    assert json.loads(call(viewer, "GET", "/state")[1])["prompt"] == "a cat"
    assert call(viewer, "GET", "/../pyproject.toml")[0] == 404


def test_a_change_is_asked_for(viewer: Viewer, asked: list[dict[str, Any]]) -> None:
    wanted = {"prompt": "a dog", "strength": 0.3, "preserve_color": True}
    assert call(viewer, "POST", "/change", wanted | {"seed": 3}, Content_Type="application/json")[0] == 200
    assert asked == [wanted]
    status, why = call(viewer, "POST", "/change", wanted | {"prompt": ""}, Content_Type="application/json")
    assert (status, why) == (400, b"the prompt is empty")


@pytest.mark.parametrize("body", ["no object", 3, None, {"prompt": "a dog"}])
def test_nonsense_is_refused(viewer: Viewer, body: Any) -> None:
    assert call(viewer, "POST", "/change", body, Content_Type="application/json")[0] == 400


def test_pages_of_others_are_kept_out(viewer: Viewer, asked: list[dict[str, Any]]) -> None:
    """Forms of another site, and a name of another site that points here."""
    assert call(viewer, "POST", "/change", {"prompt": "a dog"}, Content_Type="text/plain")[0] == 403
    assert call(viewer, "GET", "/state", Host="evil.example")[0] == 403
    assert asked == []


def test_a_taken_port_is_told(viewer: Viewer) -> None:
    port = urlsplit(viewer.address).port
    with pytest.raises(sav.InputError, match="port"):
        Viewer(State("a", 1.0, False), lambda: None, port or 0)
