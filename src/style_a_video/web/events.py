"""What the events of all tabs have in common."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .sessions import session_of

ONE_AT_A_TIME: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""The model is one; whoever comes second waits in line."""


def own_session(request: gr.Request) -> str:
    """The browser's session; the middleware gives every request one."""
    return session_of(request.headers.get("cookie", ""))
