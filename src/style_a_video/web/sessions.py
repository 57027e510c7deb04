"""Every browser has a folder of its own, and sees no other's files.

A cookie is the key, and its hash names the folder: an address of a file can be handed on, the key is not in it. What a
browser uploads, and what is made for it, is served to that cookie alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import cookie_parser

COOKIE = "style-a-video"
KEPT_S = 24 * 3600
"""Seconds after which files that nobody has used are removed."""
_FILE = re.compile(r"(?:/gradio_api)?/file[=/](.*)", re.DOTALL)
"""Gradio's two ways to ask for a file."""
_NOT_SERVED = "/process_recording"
"""Gradio's conversion of a screen recording, by FFmpeg and without isolation; the page records no screens."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Sessions:
    """Folders by cookie, and who uploaded what.

    Args:
        root: where all of it lies, uploads included.
        shared: files below are for everyone, such as the pictures of the styles.
    """

    def __init__(self, root: Path, shared: Path) -> None:
        self.root, self.shared = root.resolve(), shared.resolve()
        self._uploaded: dict[Path, set[str]] = {}

    def folder(self, session: str) -> Path:
        """A browser's own folder. Raises ValueError for what is no session."""
        if not re.fullmatch(r"[0-9a-f]{32}", session):
            raise ValueError("no session")
        folder = self.root / "sessions" / _name_of(session)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # it is in use
        return folder

    def note_upload(self, path: str, session: str) -> None:
        """A file belongs to whoever uploaded it; the same file may come from several."""
        self._uploaded.setdefault(Path(path).resolve(), set()).add(session)

    def may_see(self, path: str, session: str) -> bool:
        """Whether a file is served to a browser."""
        try:
            asked = Path(path).resolve()
        except (OSError, ValueError):
            return False
        if asked.is_relative_to(self.shared):
            return True
        if not session:
            return False
        own = asked.is_relative_to(self.root / "sessions" / _name_of(session))
        if not own and session in self._uploaded.get(asked, ()) and asked.exists():
            own = True
            os.utime(asked.parent)  # it is in use
        return own

    def clean(self) -> None:
        """Remove what nobody has used for a day."""
        oldest = time.time() - KEPT_S
        for folder in (*self.root.glob("sessions/*"), *self.root.glob("[0-9a-f]*")):
            if folder.is_dir() and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
        for path in list(self._uploaded):
            if not path.exists():
                self._uploaded.pop(path, None)


def session_of(cookies: str) -> str:
    """The session in a Cookie header, or an empty string."""
    found = cookie_parser(cookies).get(COOKIE, "")
    return found if re.fullmatch(r"[0-9a-f]{32}", found) else ""


def _name_of(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:32]


class OwnFilesOnly:
    """ASGI middleware: gives every browser its cookie, and keeps it to its own files."""

    def __init__(self, app: App, sessions: Sessions) -> None:
        self.app, self.sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        session, new = session_of(headers.get(b"cookie", "")), False
        if not session:
            session, new = secrets.token_hex(16), True
            # The page's own code asks for the session in the request that begins it, too.
            cookies = "; ".join(filter(None, [headers.get(b"cookie", ""), f"{COOKIE}={session}"]))
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"cookie"]
            scope = scope | {"headers": [*kept, (b"cookie", cookies.encode("latin-1"))]}
        asked = _FILE.fullmatch(scope["path"])
        if scope["path"].endswith(_NOT_SERVED) or (asked and not self.sessions.may_see(asked.group(1), session)):
            await _refuse(send)
            return
        uploads = scope["path"].endswith("/upload") and scope["method"] == "POST"
        body = bytearray()

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start" and (new or scope["path"] == "/"):
                cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={KEPT_S}"
                message = message | {"headers": [*message["headers"], (b"set-cookie", cookie.encode())]}
            if uploads and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._note(bytes(body), session)
            await send(message)

        await self.app(scope, receive, answer)

    def _note(self, body: bytes, session: str) -> None:
        try:
            paths = json.loads(body)
        except ValueError:
            return
        for path in paths if isinstance(paths, list) else []:
            if isinstance(path, str):
                self.sessions.note_upload(path, session)


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"this file is not yours"})
