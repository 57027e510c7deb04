"""The browser's webcam in a style."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from ..errors import InputError
from ..frames import Pixels
from ..live import LiveStylizer
from .events import own_session
from .studio import Studio
from .work import as_data_uri

MOST = 8
"""Cameras at once."""
EVERY_S = 0.1
"""Seconds between the webcam's pictures."""


def build_live_tab(page: gr.Blocks, studio: Studio) -> None:
    """The tab: a webcam, a sentence, the strength, and the picture."""
    stylizers: dict[str, LiveStylizer] = {}

    def stylize(request: gr.Request, frame: Pixels | None, prompt: str, strength: float, keep: bool) -> Any:
        if frame is None or not prompt.strip():
            return gr.skip()
        key = f"{own_session(request)}{request.session_hash}"
        wanted: dict[str, Any] = {"strength": strength, "preserve_color": keep}
        try:
            stylizer = stylizers.pop(key, None) or LiveStylizer(prompt, studio.pipeline, **wanted)
            stylizers[key] = stylizer  # the newest last
            while len(stylizers) > MOST:
                del stylizers[next(iter(stylizers))]  # of a page that went without a word
            if (stylizer.prompt, stylizer.settings.strength, stylizer.settings.preserve_color) != (
                prompt, strength, keep,
            ):  # fmt: skip
                stylizer.change(prompt, **wanted)
            with studio.model(wait=False) as free:
                if not free:
                    return "<p>The model works on a clip: the camera waits.</p>"
                pixels = stylizer(np.asarray(frame))
            return f'<div class="working"><img src="{as_data_uri(pixels)}" alt="live"></div>'
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def leave(request: gr.Request) -> None:
        for key in [key for key in stylizers if key.endswith(str(request.session_hash))]:
            del stylizers[key]

    with gr.Row():
        with gr.Column(min_width=320):
            camera = gr.Image(sources=["webcam"], streaming=True, type="numpy", label="Your camera", height=240)
            prompt = gr.Textbox("a pencil drawing", label="Style")
            strength = gr.Slider(0, 1, 1, step=0.05, label="Strength")
            keep = gr.Checkbox(label="Keep original colours")
        with gr.Column(min_width=320):
            picture = gr.HTML("<p>Start your camera: its pictures stay on the machine that serves this page.</p>")
    camera.stream(
        stylize, [camera, prompt, strength, keep], picture, stream_every=EVERY_S, show_progress="hidden",
        api_visibility="private", time_limit=None, concurrency_limit=MOST,
    )  # fmt: skip
    page.unload(leave)
