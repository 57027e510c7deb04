"""style-a-video live: a camera in a style."""

from __future__ import annotations

import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from ..checkpoints import find_model
from ..dependencies import require_extra
from ..errors import InputError
from .options import DEFAULTS, Model, setting
from .terminal import JsonEvents, console, tell

if TYPE_CHECKING:
    from ..live.session import Wishes


def live(
    prompt: Annotated[str, typer.Argument(help="The style. While it runs, type another sentence and press Enter.")],
    source: Annotated[
        str, typer.Option(help="A camera's number, a file that is played in real time, or an address such as rtsp://…")
    ] = "0",
    model: Model = DEFAULTS.model,
    size: Annotated[int | None, setting("size")] = DEFAULTS.size,
    strength: Annotated[float, setting("strength")] = DEFAULTS.strength,
    preserve_color: Annotated[bool, setting("preserve_color", "--preserve-color")] = DEFAULTS.preserve_color,
    style_image: Annotated[str | None, setting("style_image", shown="none")] = DEFAULTS.style_image,
    refine: Annotated[bool, typer.Option("--refine/--no-refine", help="Steady it by the refinement network.")] = True,
    seed: Annotated[int, setting("seed")] = DEFAULTS.seed,
    record: Annotated[Path | None, typer.Option(help="Record to this .mp4, .mkv or .mov.", show_default="no")] = None,
    sound: Annotated[
        str | None, typer.Option(help='Record this microphone, too, e.g. "default".', show_default="none")
    ] = None,
    virtual_camera: Annotated[
        bool, typer.Option("--virtual-camera", help="Be a camera for OBS and video calls, too.")
    ] = False,
    port: Annotated[int, typer.Option(help="Of the page that shows it; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    json: JsonEvents = False,
) -> None:
    """Stylize a camera, or a file as if it were one, and show it on a page of this machine. Ctrl-C ends it."""
    find_model(model)
    if sound and not record:
        raise InputError("sound is recorded beside the picture: give --record, too")
    if virtual_camera:
        require_extra("live", "--virtual-camera")
    from ..live import LIVE, LiveStylizer, checked, open_source
    from ..live.recorder import check_recording
    from ..live.session import Wishes, live_frames
    from ..live.viewer import State, Viewer

    settings: dict[str, Any] = {
        "model": model, "size": size, "strength": strength, "preserve_color": preserve_color,
        "style_image": style_image, "refine": refine, "seed": seed,
    }  # fmt: skip
    checked(prompt, LIVE | settings)
    if record:
        check_recording(record)
    frames = open_source(source)
    stylizer = LiveStylizer(prompt, **settings)
    wishes, state = Wishes(), State(prompt, strength, preserve_color)

    def change(prompt: str, **asked: Any) -> None:
        """What the page asks for. Raises InputError where it cannot be, and the page says so."""
        checked(prompt, LIVE | settings | asked)
        wishes.ask(prompt=prompt, **asked)
        state.prompt = prompt
        for name, value in asked.items():
            setattr(state, name, value)

    def refused(why: str) -> None:
        tell(Text("note: ", style="bold yellow") + Text(why), "note", message=why)

    with ExitStack() as open_things:
        outputs = open_things.enter_context(_Outputs(record, sound, virtual_camera))
        viewer = open_things.enter_context(closing(Viewer(state, change, port)))
        tell(f"[bold green]live at[/] {viewer.address}  (Ctrl-C ends it)", "live", address=viewer.address)
        if browser:
            webbrowser.open(viewer.address)
        _hear_sentences(wishes, state)
        say = open_things.enter_context(_status())
        for shown in live_frames(stylizer, frames, wishes, refused):
            viewer.show(shown.pixels)
            outputs.show(shown.pixels, shown.at)
            state.fps, state.latency_ms = shown.fps, shown.latency_ms
            say(shown.fps, shown.latency_ms)


class _Outputs(ExitStack):
    """A recording and a virtual camera, opened with the first frame, whose size they need."""

    def __init__(self, record: Path | None, sound: str | None, virtual_camera: bool) -> None:
        super().__init__()
        self.record, self.sound, self.virtual_camera = record, sound, virtual_camera
        self.began: float | None = None

    def show(self, pixels: Any, at: float) -> None:
        """Pass a frame on, (H, W, 3) uint8 RGB, that came at `at`."""
        if self.began is None:
            size = (pixels.shape[1], pixels.shape[0])
            if self.record:
                from ..live.recorder import Recorder

                self.recorder = Recorder(self.record, size, self.sound)
                self.callback(tell, f"[bold green]wrote[/] {self.record}", "wrote", path=self.record)
                self.enter_context(closing(self.recorder))
            if self.virtual_camera:
                self.camera = self.enter_context(_virtual_camera(size))
            self.began = time.monotonic()  # sound is recorded from here
        if self.record:
            self.recorder.write(pixels, at - self.began)
        if self.virtual_camera:
            self.camera.send(pixels)


def _virtual_camera(size: tuple[int, int]) -> Any:
    try:
        return import_module("pyvirtualcam").Camera(*size, fps=30)
    except RuntimeError as error:
        raise InputError(f"no virtual camera ({error}): install OBS, or v4l2loopback on Linux") from error


def _hear_sentences(wishes: Wishes, state: Any) -> None:
    """Lines of standard input become prompts."""

    def hear() -> None:
        for line in sys.stdin:
            if line.strip():
                state.prompt = line.strip()
                wishes.ask(prompt=state.prompt)

    if sys.stdin is not None and not sys.stdin.closed:
        threading.Thread(target=hear, daemon=True).start()


@contextmanager
def _status() -> Iterator[Any]:
    """Says the rate and the latency, on one line that stays; to programs once a second."""
    if console.quiet:
        last = [0.0]

        def tell_program(fps: float, latency_ms: float) -> None:
            if time.monotonic() - last[0] > 1:
                last[0] = time.monotonic()
                tell("", "live_rate", fps=round(fps, 2), latency_ms=round(latency_ms))

        yield tell_program
        return
    with Live(Text(""), console=console, refresh_per_second=4, transient=True) as line:
        yield lambda fps, latency_ms: line.update(Text(f"{fps:.1f} frames/s, {latency_ms:.0f} ms behind", style="cyan"))
