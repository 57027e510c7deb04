"""The page's own HTML, CSS and script: pictures over each other, videos in step, progress."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..frames import Pixels
from .work import Step, as_data_uri

CSS = """
.compare { position: relative; --cut: 50%; border-radius: 8px; overflow: hidden; touch-action: pan-y; }
.compare img { display: block; width: 100%; }
.compare img + img { position: absolute; inset: 0; clip-path: inset(0 0 0 var(--cut)); }
.compare::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--cut); width: 2px; background: white;
  box-shadow: 0 0 4px black; }
.compare input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: ew-resize; margin: 0;
  z-index: 1; }
.in-step { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.in-step video { width: 100%; border-radius: 8px; background: black; }
.working img { width: 100%; border-radius: 8px; }
.working progress { width: 100%; }
.styles .gallery-container, .styles .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; overflow: visible !important; }
.styles .grid-container { grid-template-columns: repeat(auto-fill, minmax(clamp(60px, 17vw, 84px), 1fr)) !important;
  grid-template-rows: none !important; grid-auto-rows: min-content; height: auto !important; padding: 0; }
.styles .thumbnail-item { width: 100%; height: auto; aspect-ratio: 1; }
.styles .caption-label { inset: auto 0 0 0 !important; max-width: none; padding: 1px 2px; border-radius: 0;
  font-size: 11px; text-align: center; }
@media (min-width: 641px) { .seen { position: sticky; top: 8px; align-self: flex-start; } }
@media (max-width: 640px) { .in-step { grid-template-columns: 1fr; } }
"""

SCRIPT = """
<script>
// Two videos side by side play, stop and jump together; the first one leads.
for (const kind of ["play", "pause", "seeked", "ratechange"]) {
  document.addEventListener(kind, event => {
    const pair = event.target.closest && event.target.closest(".in-step");
    if (!pair || pair.dataset.busy) return;
    pair.dataset.busy = "yes";
    for (const other of pair.querySelectorAll("video")) {
      if (other === event.target) continue;
      if (Math.abs(other.currentTime - event.target.currentTime) > 0.05) other.currentTime = event.target.currentTime;
      other.playbackRate = event.target.playbackRate;
      if (kind === "play") other.play(); else if (kind === "pause") other.pause();
    }
    setTimeout(() => delete pair.dataset.busy, 50);
  }, true);
}
</script>
"""


def compared(before: Pixels, after: Pixels) -> str:
    """Two pictures (H, W, 3), uint8 RGB, over each other, with a handle to draw across."""
    pictures = "".join(
        f'<img src="{as_data_uri(picture)}" alt="{name}">' for picture, name in ((before, "before"), (after, "after"))
    )
    handle = (
        '<input type="range" min="0" max="100" value="50" aria-label="before and after" '
        "oninput=\"this.parentNode.style.setProperty('--cut', this.value + '%')\">"
    )
    return f'<div class="compare">{pictures}{handle}</div><p>One frame, before and after: drag the line.</p>'


def progress(step: Step) -> str:
    """How far a job is, with its newest picture."""
    picture = f'<img src="{as_data_uri(step.picture)}" alt="the newest frame">' if step.picture is not None else ""
    words = f"{step.done} of {step.total} frames"
    if step.rate:
        left = timedelta(seconds=round((step.total - step.done) / step.rate))
        words += f", {step.rate:.1f} frames/s, {left} left"
    bar = f'<progress max="{step.total}" value="{step.done}"></progress>'
    return f'<div class="working">{picture}{bar}<p>{words}</p></div>'


def address(path: str | Path) -> str:
    """Where a file is served."""
    return f"/gradio_api/file={quote(str(path))}"


def in_step(before: str | Path, after: str | Path, said: str) -> str:
    """The clip and the result, which play together."""
    one, other = (
        f'<video controls loop playsinline preload="auto" {extra} src="{address(path)}" aria-label="{name}"></video>'
        for path, name, extra in ((before, "the clip", "muted"), (after, "the result", ""))
    )
    return f'<div class="in-step">{one}{other}</div><p>{escape(said)}</p>'
