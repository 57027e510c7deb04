"""Does a live picture keep up? A file of 30 frames a second at 256x256 is the camera, a browser's stream the screen.

    python benchmarks/live.py [--minutes 5]

Every frame carries its number in black and white squares. What comes out of the page's stream is read back, so the
latency is that from the frame's coming to the picture that is shown. Prints frames a second, latency, memory after a
quarter of it and at the end, and the time from asking for another style to seeing it.
"""

from __future__ import annotations

import http.client
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import typer

from style_a_video.demo import demo_clip
from style_a_video.evaluation.media import write_video
from style_a_video.frames import Pixels
from style_a_video.live import Captured, LiveStylizer, open_source
from style_a_video.live.session import Wishes, live_frames
from style_a_video.live.viewer import State, Viewer

SIDE, RATE, SECONDS = 256, 30, 60
BITS, CELL = 12, 21
"""Squares in the top row; together they hold the frame's number."""
FIRST, SECOND = "a pencil drawing", "a cyanotype"


def with_number(picture: Pixels, number: int) -> Pixels:
    """The picture with its number in the top row, and a black and a white square below for comparison."""
    marked = picture.copy()
    for bit in range(BITS):
        marked[:CELL, bit * CELL : (bit + 1) * CELL] = 255 * (number >> bit & 1)
    marked[CELL : 2 * CELL, :CELL], marked[CELL : 2 * CELL, CELL : 2 * CELL] = 0, 255
    return marked


def number_in(picture: Pixels) -> int:
    """The number that a styled picture still shows."""
    grey = picture.mean(axis=2)

    def light(row: int, column: int) -> float:
        return float(grey[row * CELL + 4 : (row + 1) * CELL - 4, column * CELL + 4 : (column + 1) * CELL - 4].mean())

    threshold = (light(1, 0) + light(1, 1)) / 2
    return sum((light(0, bit) > threshold) << bit for bit in range(BITS))


def camera(path: Path, came: dict[int, float], seconds: float) -> Iterator[Captured]:
    """The file again and again, as a camera that never ends; notes when every number came."""
    ends = time.monotonic() + seconds
    while True:
        for number, captured in enumerate(open_source(str(path))):
            if time.monotonic() > ends:
                return
            came[number] = captured.at
            yield captured


class Screen(threading.Thread):
    """Reads the page's stream as a browser does, and notes what it shows and when."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc)
        self.seen: list[tuple[float, Pixels]] = []
        self.start()

    def run(self) -> None:
        """Until the server ends."""
        self.connection.request("GET", "/stream")
        answer = self.connection.getresponse()
        try:
            while answer.readline():
                answer.readline()
                size = int(answer.readline().split()[1])
                answer.readline()
                coded = answer.read(size)
                answer.readline()
                picture = cv2.imdecode(np.frombuffer(coded, np.uint8), 1)
                self.seen = [*self.seen[-10:], (time.monotonic(), np.asarray(picture))]
        except (OSError, ValueError, IndexError, http.client.HTTPException):
            return


def tint(picture: Pixels) -> float:
    """How much bluer than red a picture (H, W, 3), BGR, is: a cyanotype is, a pencil drawing is not."""
    return float(picture[..., 0].mean() - picture[..., 2].mean())


def held() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(minutes: Annotated[float, typer.Option(help="How long it runs.")] = 5.0) -> None:
    pictures = demo_clip(frames=48, width=SIDE, height=SIDE).frames
    came: dict[int, float] = {}
    latencies, memory, misread = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "camera.mp4"
        frames = [with_number(pictures[k % 48], k) for k in range(RATE * SECONDS)]
        write_video(path, np.stack(frames), Fraction(RATE))
        stylizer, wishes = LiveStylizer(FIRST), Wishes()
        viewer = Viewer(State(FIRST, 1.0, False), wishes.ask)
        screen = Screen(viewer.address)
        began, shown, asked, changed = time.monotonic(), 0, 0.0, float("nan")
        next_look = began + 10
        before: Any = None
        for one in live_frames(stylizer, camera(path, came, 60 * minutes), wishes, print):
            viewer.show(one.pixels)
            shown += 1
            now = time.monotonic()
            if now > next_look:
                next_look += 10
                memory.append(held())
                at, picture = screen.seen[-1]
                number = number_in(picture)
                if number in came and 0 <= at - came[number] < 2:
                    latencies.append(at - came[number])
                else:
                    misread += 1
            if not asked and now > began + 30 * minutes:
                asked, before = now, screen.seen[-1][1]
                wishes.ask(prompt=SECOND)
            elif asked and changed != changed:
                at, picture = screen.seen[-1]
                if at > asked and tint(picture) - tint(before) > 15:
                    changed = at - asked
        seconds = time.monotonic() - began
        viewer.close()
    print(f"| {SIDE}x{SIDE}, a camera of {RATE} frames/s, {seconds / 60:.1f} minutes | |\n|---|---|")
    print(f"| frames/s shown | {shown / seconds:.1f} |")
    print(f"| latency, median and worst | {1000 * np.median(latencies):.0f} ms, {1000 * max(latencies):.0f} ms |")
    print(f"| numbers read back | {len(latencies)} of {len(latencies) + misread} |")
    print(f"| memory, after a quarter and at the end | {memory[len(memory) // 4]:.0f} MB, {memory[-1]:.0f} MB |")
    print(f"| another style is seen after | {changed:.2f} s |")


if __name__ == "__main__":
    typer.run(main)
