"""The page (Gradio): a clip and a style in, the styled clip out, and what happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from ..errors import InputError
from ..styles import STYLES
from . import looks
from .events import ONE_AT_A_TIME, own_session
from .live_tab import build_live_tab
from .measure_tab import build_measure_tab
from .studio import Studio

FIRST_PROMPT = "a pencil drawing"
TITLE = "Style-A-Video"


def _as_it_is(path: Any) -> FileData | None:
    """A clip for the browser. Gradio would convert some kinds by FFmpeg, outside isolation, to a file of nobody's."""
    return FileData(path=str(path)) if path else None


def build_page(
    studio: Studio, example: Path, gallery: list[tuple[Path, str]], understand: Callable[[str], str]
) -> gr.Blocks:
    """The page.

    Args:
        studio: does the work.
        example: a clip for who has none at hand.
        gallery: pictures of the styles, with their names.
        understand: what the model makes of a sentence, in words.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.Markdown(f"# {TITLE}\nA clip and a style in, the same clip in that style out. {studio.limits.in_words()}")
        with gr.Tab("Clip"):
            _clip_tab(page, studio, example, gallery, understand)
        with gr.Tab("Live"):
            build_live_tab(page, studio)
        with gr.Tab("Measure"):
            build_measure_tab(studio)
    return page


def settings_of(*values: Any) -> dict[str, Any]:
    """`Settings` from the page's controls, in the order of `_controls`."""
    names = ("style_image", "strength", "preserve_color", "fast", "size", "guidance_scale", "seed", "negative_prompt")
    given = dict(zip(names, values, strict=True))
    numbers = {"size": int(given["size"]), "seed": int(given["seed"] or 0)}
    return given | numbers | {"negative_prompt": given["negative_prompt"] or ""}


def _controls(studio: Studio) -> list[gr.components.Component]:
    strength = gr.Slider(0, 1, 1, step=0.05, label="Strength", info="0 is your clip, 1 the whole style")
    keep = gr.Checkbox(label="Keep original colours")
    with gr.Accordion("More", open=False):
        picture = gr.Image(type="pil", sources=["upload"], label="Style from a picture, too", height=160)
        has_fast = bool(studio.pipeline.config.fast_defaults)
        fast = gr.Checkbox(has_fast, label="Fast", info="Off: steadier, by keyframes, and slower", visible=has_fast)
        own = studio.pipeline.defaults()
        size = gr.Slider(
            128, studio.limits.side, min(own["size"], studio.limits.side), step=32, label="Size",
            info="More pixels are finer and slower",
        )  # fmt: skip
        scale = gr.Slider(
            1, max(3, 2 * own["guidance_scale"]), own["guidance_scale"], step=0.25, label="Guidance scale",
            info="Above 1: more style, twice the time",
        )  # fmt: skip
        seed = gr.Number(0, precision=0, minimum=0, label="Seed", info="Another number, other marks")
        negative = gr.Textbox(
            "", label="Negative prompt", info="What it should not be; used where the guidance scale is above 1"
        )
    return [picture, strength, keep, fast, size, scale, seed, negative]


def _clip_tab(
    page: gr.Blocks, studio: Studio, example: Path, gallery: list[tuple[Path, str]], understand: Callable[[str], str]
) -> None:
    with gr.Row():
        with gr.Column(min_width=320):
            video = gr.Video(value=str(example), label="Your clip", sources=["upload", "webcam"])
            video.postprocess = _as_it_is
            gr.Markdown("**Pick a style**", visible=bool(gallery))
            styles = gr.Gallery(
                [(str(path), name) for path, name in gallery], label="Styles", show_label=False, height="auto",
                visible=bool(gallery), buttons=[], allow_preview=False, object_fit="cover", elem_classes="styles",
            )  # fmt: skip
            prompt = gr.Textbox(FIRST_PROMPT, label="or say it", placeholder="a watercolor in teal and gold")
            understood = gr.Markdown(understand(FIRST_PROMPT))
            controls = _controls(studio)
            with gr.Row():
                look = gr.Button("Preview one frame")
                run = gr.Button("Stylize the clip", variant="primary")
        with gr.Column(min_width=320, elem_classes="seen"):
            shown = gr.HTML(label="Preview")
            with gr.Row():
                stop = gr.Button("Stop", visible=False)
                go_on = gr.Button("Go on", visible=False)
            result = gr.HTML()
            files = gr.File(label="Download", visible=False, file_count="multiple")
    _connect(
        page, _Handlers(studio), understand,
        {"video": video, "styles": styles, "prompt": prompt, "understood": understood, "look": look, "run": run,
         "shown": shown, "stop": stop, "go_on": go_on, "result": result, "files": files},
        controls, gallery,
    )  # fmt: skip


class _Handlers:
    """What Gradio calls. The names of the arguments are those of the API."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def preview(
        self, request: gr.Request, video: str | None, prompt: str, style_image: Any = None, strength: float = 1.0,
        preserve_color: bool = False, fast: bool = True, size: float = 256, guidance_scale: float = 1.0,
        seed: float = 0, negative_prompt: str = "",
    ) -> str:  # fmt: skip
        if not video:
            return ""
        settings = settings_of(style_image, strength, preserve_color, fast, size, guidance_scale, seed, negative_prompt)
        try:
            return looks.compared(*self.studio.preview(own_session(request), video, prompt, settings))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def stylize(
        self, request: gr.Request, video: str | None, prompt: str, style_image: Any = None, strength: float = 1.0,
        preserve_color: bool = False, fast: bool = True, size: float = 256, guidance_scale: float = 1.0,
        seed: float = 0, negative_prompt: str = "",
    ) -> Iterator[Any]:  # fmt: skip
        settings = settings_of(style_image, strength, preserve_color, fast, size, guidance_scale, seed, negative_prompt)
        steps = self.studio.start(own_session(request), video, prompt, settings)
        yield from _told(steps, self.studio, request)

    def go_on(self, request: gr.Request) -> Iterator[Any]:
        yield from _told(self.studio.go_on(own_session(request)), self.studio, request)

    def stop(self, request: gr.Request) -> Any:
        self.studio.stop(own_session(request))
        return gr.update(value="Stopping…", interactive=False)

    def come(self, request: gr.Request, video: str, prompt: str) -> list[Any]:
        """What a browser finds when it comes, or comes back: the clip and the sentence of its last job."""
        job = self.studio.last(own_session(request))
        if job and Path(job.video).exists():
            video, prompt = job.video, job.prompt
        return [video, prompt, gr.skip(), *_after(self.studio, own_session(request))[1:]]


def _connect(
    page: gr.Blocks, handlers: _Handlers, understand: Callable[[str], str], parts: dict[str, Any], controls: list[Any],
    gallery: list[tuple[Path, str]],
) -> None:  # fmt: skip
    asked = [parts["video"], parts["prompt"], *controls]
    told = [parts[name] for name in ("shown", "result", "files", "stop", "go_on", "run")]
    private: dict[str, Any] = {"api_visibility": "private"}
    preview: Any = ONE_AT_A_TIME | {
        "fn": handlers.preview, "inputs": asked, "outputs": parts["shown"], "show_progress": "minimal",
        "trigger_mode": "always_last",
    }  # fmt: skip
    parts["look"].click(**preview, api_name="preview")
    for part in (parts["video"], parts["prompt"]):
        part.change(**preview | private)
    for control in controls:
        if isinstance(control, gr.Slider):
            control.release(**preview | private)
        elif isinstance(control, gr.Checkbox | gr.Image):
            control.change(**preview | private)
    parts["prompt"].change(understand, parts["prompt"], parts["understood"], show_progress="hidden", **private)
    sentences = {style.name: style.prompt for style in STYLES}

    def picked(event: gr.SelectData) -> str:
        return sentences[gallery[event.index][1]]

    parts["styles"].select(picked, None, parts["prompt"], **private)
    parts["prompt"].input(lambda: gr.update(selected_index=None), None, parts["styles"], queue=False, **private)
    job: dict[str, Any] = ONE_AT_A_TIME | {"show_progress": "minimal", "show_progress_on": parts["shown"]}
    parts["run"].click(handlers.stylize, asked, told, api_name="stylize", **job)
    parts["go_on"].click(handlers.go_on, None, told, api_name="go_on", **job)
    parts["stop"].click(handlers.stop, None, parts["stop"], queue=False, api_name="stop")
    found = [parts["video"], parts["prompt"], *told]
    come = page.load(handlers.come, asked[:2], found, show_progress="hidden", queue=False, **private)
    come.then(**preview | private)


def _told(steps: Iterator[Any], studio: Studio, request: gr.Request) -> Iterator[list[Any]]:
    """A job's steps as what the page shows."""
    unchanged = gr.skip()
    stop = gr.update(visible=True, value="Stop", interactive=True)
    yield [gr.skip(), "", gr.update(visible=False), stop, gr.update(visible=False), gr.update(interactive=False)]
    try:
        for step in steps:
            if step.output or step.stopped:
                break
            yield [looks.progress(step), *[unchanged] * 5]
    except Exception as error:
        yield [unchanged, unchanged, unchanged, gr.update(visible=False), unchanged, gr.update(interactive=True)]
        if isinstance(error, InputError):
            raise gr.Error(str(error), print_exception=False) from error
        raise
    yield _after(studio, own_session(request))


def _after(studio: Studio, session: str) -> list[Any]:
    """What is shown of the last job of a browser."""
    job = studio.last(session)
    hidden = gr.update(visible=False)
    ready = gr.update(interactive=True)
    if job is None:
        return [gr.skip(), "", hidden, hidden, hidden, ready]
    again = gr.update(visible=not job.finished)
    if job.playable is None or not Path(job.playable).exists():
        return ["", "<p>Stopped.</p>", hidden, hidden, again, ready]
    said = f"{job.prompt}. " + ("Done." if job.finished else "Stopped; this much is finished. Go on whenever you like.")
    files = [path for path in (job.playable, f"{job.playable}.json") if Path(path).exists()]
    return [
        "", looks.in_step(job.video, job.playable, said), gr.update(value=files, visible=True), hidden, again, ready,
    ]  # fmt: skip
