"""Every browser sees its own files only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from style_a_video.web.sessions import COOKIE, KEPT_S, OwnFilesOnly, Sessions, session_of

MINE, OTHERS = "a" * 32, "b" * 32


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "example.mp4").write_bytes(b"everyone's")
    found = Sessions(tmp_path, shared)
    (found.folder(MINE) / "out.mp4").write_bytes(b"mine")
    (tmp_path / "0123abcd").mkdir()
    (tmp_path / "0123abcd" / "in.mp4").write_bytes(b"uploaded")
    found.note_upload(str(tmp_path / "0123abcd" / "in.mp4"), MINE)
    return found


def test_who_may_see_what(sessions: Sessions, tmp_path: Path) -> None:
    own = sessions.folder(MINE) / "out.mp4"
    uploaded = tmp_path / "0123abcd" / "in.mp4"
    for path in (own, uploaded):
        assert sessions.may_see(str(path), MINE)
        for stranger in (OTHERS, "", "..", "*"):
            assert not sessions.may_see(str(path), stranger)
    assert sessions.may_see(str(sessions.shared / "example.mp4"), "")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "{own}/../{other}/out.mp4", "{shared}/../sessions/{other}/out.mp4", "{root}", "{root}/sessions",
     "{own}/\0", "{own}/link"],
)  # fmt: skip
def test_ways_round(sessions: Sessions, path: str) -> None:
    own = sessions.folder(OTHERS)
    (own / "link").symlink_to(sessions.folder(MINE) / "out.mp4")
    asked = path.format(own=own, other=sessions.folder(MINE).name, shared=sessions.shared, root=sessions.root)
    assert not sessions.may_see(asked, OTHERS)


@pytest.mark.parametrize("session", ["", "../x", "A" * 32, "a" * 31, "a" * 32 + "/.."])
def test_what_is_no_session_has_no_folder(sessions: Sessions, session: str) -> None:
    with pytest.raises(ValueError, match="no session"):
        sessions.folder(session)
    assert session_of(f"{COOKIE}={session}") == ""


def test_old_files_go(sessions: Sessions, tmp_path: Path) -> None:
    long_ago = time.time() - KEPT_S - 60
    os.utime(sessions.folder(MINE), (long_ago, long_ago))
    sessions.folder(OTHERS)
    sessions.clean()
    assert [*(tmp_path / "sessions").iterdir()] == [sessions.folder(OTHERS)]
    assert (tmp_path / "shared" / "example.mp4").exists()


def test_files_in_use_stay(sessions: Sessions, tmp_path: Path) -> None:
    long_ago = time.time() - KEPT_S - 60
    uploaded = tmp_path / "0123abcd" / "in.mp4"
    for folder in (uploaded.parent, sessions.folder(MINE)):
        os.utime(folder, (long_ago, long_ago))
    assert sessions.may_see(str(uploaded), MINE)
    own = sessions.folder(MINE)
    sessions.clean()
    assert uploaded.exists()
    assert own.exists()


def test_the_key_is_in_no_address(sessions: Sessions) -> None:
    assert MINE not in str(sessions.folder(MINE))


@pytest.mark.parametrize("others", ['prefs={"a":1}; ', "a=b c; ", "a/b=c; ", "=; ;; "])
def test_cookies_of_other_pages_of_this_machine(others: str) -> None:
    assert session_of(f"{others}{COOKIE}={MINE}") == MINE


def application(uploads: str = "") -> Callable[[Any, Any, Any], Awaitable[None]]:
    """What stands behind the middleware: says which session it was asked for, or what was uploaded."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
        body = uploads if scope["path"].endswith("/upload") else json.dumps(session_of(cookies))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    return app


def asks(app: Any, *paths: str, cookie: str = "") -> list[Any]:
    """The answers to one browser."""
    browser = TestClient(app, cookies={COOKIE: cookie} if cookie else None)
    return [browser.post(path) if path.endswith("/upload") else browser.get(path) for path in paths]


def test_a_browser_gets_a_cookie_and_keeps_it(sessions: Sessions) -> None:
    first, second, third = asks(OwnFilesOnly(application(), sessions), "/", "/config", "/")
    assert len(first.json()) == 32
    assert first.json() == second.json()
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "set-cookie" not in second.headers
    assert first.json() in third.headers["set-cookie"]  # a visit renews it


def test_files_of_others_are_refused(sessions: Sessions) -> None:
    app = OwnFilesOnly(application(), sessions)
    own = sessions.folder(MINE) / "out.mp4"
    paths = [f"/gradio_api/file={own}", f"/file={own}", f"/gradio_api/file/{own}", f"/gradio_api/file=%2e%2e/{own}"]
    paths += ["/gradio_api/file=/etc/passwd", "/gradio_api/file=http://127.0.0.1/x"]
    assert [answer.status_code for answer in asks(app, *paths, cookie=OTHERS)] == [403] * 6
    assert [answer.status_code for answer in asks(app, *paths[:2], cookie=MINE)] == [200, 200]
    assert asks(app, paths[0])[0].status_code == 403


def test_an_upload_belongs_to_who_uploaded_it(sessions: Sessions, tmp_path: Path) -> None:
    path = tmp_path / "ffff" / "new.mp4"
    path.parent.mkdir()
    path.write_bytes(b"new")
    app = OwnFilesOnly(application(json.dumps([str(path)])), sessions)
    asks(app, "/gradio_api/upload", cookie=OTHERS)
    asked = f"/gradio_api/file={path}"
    assert asks(app, asked, cookie=OTHERS)[0].status_code == 200
    assert asks(app, asked, cookie=MINE)[0].status_code == 403
    asks(app, "/gradio_api/upload", cookie=MINE)  # the same file, whose name is that of its contents
    assert [asks(app, asked, cookie=one)[0].status_code for one in (MINE, OTHERS)] == [200, 200]


def test_no_conversion_outside_isolation(sessions: Sessions) -> None:
    assert asks(OwnFilesOnly(application(), sessions), "/gradio_api/process_recording")[0].status_code == 403
