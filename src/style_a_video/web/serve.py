"""Starting the page."""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from starlette.middleware import Middleware

from ..errors import InputError
from ..models import load_pipeline
from ..pipeline import StyleAVideoPipeline
from ..video import VideoReader
from .limits import Limits
from .sessions import OwnFilesOnly, Sessions
from .studio import Studio

CLEANED_EVERY_S = 3600


def understood(pipeline: StyleAVideoPipeline, sentence: str) -> str:
    """What a model makes of a sentence, in words for the page; nothing where the model takes it word for word."""
    if not sentence.strip():
        return "Say a style, or pick one."
    if pipeline.understand is None:
        return ""
    plain, lines = pipeline.understand(sentence)
    return "This is far from every style that the model knows: expect something vague." if lines else f"*{plain}*"


@contextmanager
def serving(
    model: str, host: str, port: int, auth: tuple[str, str] | None, limits: Limits, root: Path
) -> Iterator[str]:
    """The page, at the address that this yields, until the block ends.

    Args:
        model: as of `load_pipeline`.
        host, port: where it listens; port 0 takes a free one.
        auth: name and password that are asked for.
        root: everybody's files lie there.

    Raises:
        InputError: the model cannot be loaded, or the port is taken.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(root)  # read when Gradio is imported
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    from .looks import CSS, SCRIPT
    from .page import build_page
    from .pictures import example_clip, small, style_pictures

    pipeline = load_pipeline(model)
    shared = root / "shared"
    shared.mkdir(parents=True, exist_ok=True)
    sessions = Sessions(root, shared)
    example = shared / "example.mp4"
    example_clip(example)
    picture = small(next(VideoReader(example).frames()).pixels)
    studio = Studio(pipeline, sessions, limits)
    # A model of many steps would take minutes for all styles.
    styles = style_pictures(pipeline, picture, shared) if pipeline.config.fast_defaults else []
    page = build_page(studio, example, styles, partial(understood, pipeline))
    page.queue(default_concurrency_limit=8)
    try:
        _, address, _ = page.launch(
            server_name=host, server_port=port or None, auth=auth, quiet=True, show_error=True,
            prevent_thread_lock=True,
            max_file_size=limits.megabytes * 10**6, allowed_paths=[str(root / "sessions"), str(shared)],
            app_kwargs={"middleware": [Middleware(OwnFilesOnly, sessions=sessions)]}, css=CSS, head=SCRIPT,
            theme=gr.themes.Soft(), footer_links=[], share=False,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"port {port} cannot be used ({error}): give another --port") from error
    ended = threading.Event()
    threading.Thread(target=_keep_clean, args=(sessions, ended), daemon=True).start()
    try:
        yield address
    finally:
        ended.set()
        page.close()


def _keep_clean(sessions: Sessions, ended: threading.Event) -> None:
    while not ended.wait(CLEANED_EVERY_S):
        sessions.clean()


def temporary_root() -> tempfile.TemporaryDirectory[str]:
    """A folder for everybody's files that goes when the page ends."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="gradio")
    return tempfile.TemporaryDirectory(prefix="style-a-video-web-", ignore_cleanup_errors=True)
