"""The live picture in a browser on this machine, with the sentence and the strength to change."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import cv2

from ..errors import InputError
from ..frames import Pixels

JPEG_QUALITY = 90
LARGEST_REQUEST = 10_000
"""Bytes."""


@dataclass
class State:
    """What the page shows, and what is asked for."""

    prompt: str
    strength: float
    preserve_color: bool
    fps: float = 0.0
    latency_ms: float = 0.0


class Viewer:
    """A page at `address`, for browsers on this machine only.

    Args:
        state: read by the page.
        change: called with what the page asks for, `prompt`, `strength` and `preserve_color`; its InputError is shown.
        port: 0 takes one that is free.

    Raises:
        InputError: the port is taken.
    """

    def __init__(self, state: State, change: Callable[..., None], port: int = 0) -> None:
        self.state, self.change = state, change
        self._news = threading.Condition()
        self._jpeg, self._number = b"", 0
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror}): give another --port") from error
        self._server.viewer = self
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, pixels: Pixels) -> None:
        """Show a picture, (H, W, 3) uint8 RGB."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
        with self._news:
            self._jpeg, self._number = coded.tobytes(), self._number + 1
            self._news.notify_all()

    def after(self, number: int) -> tuple[bytes, int]:
        """The newest picture, a JPEG, and its number, once there is one after `number`; empty where none comes."""
        with self._news:
            self._news.wait_for(lambda: self._number != number, timeout=5)
            return (self._jpeg, self._number) if self._number != number else (b"", number)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    viewer: Viewer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        viewer = self.server.viewer
        if not self._is_ours():
            return
        if self.path == "/":
            self._answer((files(__package__) / "page.html").read_bytes(), "text/html; charset=utf-8")
        elif self.path == "/state":
            self._answer(json.dumps(asdict(viewer.state)).encode(), "application/json")
        elif self.path == "/stream":
            self._stream(viewer)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        # A page of another site can send forms here, but no JSON.
        if not self._is_ours():
            return
        if self.headers.get("Content-Type") != "application/json" or self.path != "/change":
            self.send_error(403)
            return
        try:
            wanted = json.loads(self.rfile.read(min(LARGEST_REQUEST, int(self.headers.get("Content-Length", 0)))))
            if not isinstance(wanted, dict):
                raise ValueError("no object of settings")
            names = ("prompt", "strength", "preserve_color")
            self.server.viewer.change(**{name: wanted[name] for name in names})
        except (ValueError, KeyError) as error:  # an InputError, too
            self._answer(str(error).encode(), "text/plain; charset=utf-8", 400)
        else:
            self._answer(b"", "text/plain")

    def _is_ours(self) -> bool:
        """Whether the browser was led here by this address: a name of another site may point to it, too."""
        host = self.headers.get("Host", "").partition(":")[0]
        if host in ("127.0.0.1", "localhost"):
            return True
        self.send_error(403)
        return False

    def _answer(self, body: bytes, kind: str, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, viewer: Viewer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        number = 0
        try:
            while True:
                jpeg, number = viewer.after(number)
                if jpeg:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
        except ConnectionError:
            return

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing of requests."""
