"""What a job will do, checked before a model is loaded: so a mistake is told at once. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import PIL.Image

from .dependencies import require
from .errors import InputError
from .settings import Settings
from .video import IsolatedReader, VideoInfo, VideoReader, check_output


@dataclass(frozen=True)
class Plan:
    """A job that can begin."""

    reader: VideoReader
    prompt: str
    output: Path
    record: Path
    """The JSON file beside the output that says how it was made."""
    settings: Settings
    preview: bool
    """Whether only the middle frame is made."""
    overwrite: bool = False
    fresh: bool = False
    """Whether frames that an earlier run finished are thrown away."""
    keep_partial: bool = False
    """Whether a playable output is made of the finished frames when the job is stopped."""
    isolate: bool = False
    """Whether the input is only opened in processes of their own."""

    @property
    def frame_count(self) -> int:
        """Frames of the input in the chosen span, by its rate and length; 1 for a preview."""
        return 1 if self.preview else self.frames_in_span

    @property
    def frames_in_span(self) -> int:
        """Frames of the input in the chosen span, by its rate and length."""
        info, settings = self.reader.info, self.settings
        end = min(info.duration_s, settings.end_s or info.duration_s)
        return max(1, round((end - settings.start_s) * float(info.rate)))


def plan_job(
    video: str | Path,
    prompt: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    preview: bool = False,
    fresh: bool = False,
    keep_partial: bool = False,
    isolate: bool = False,
    **settings: Any,
) -> Plan:
    """Check everything about a job that can be known without its model. Arguments as of `job.stylize`.

    Raises InputError, one line, for what cannot be used.
    """
    chosen = Settings(**settings)
    reader = IsolatedReader(video) if isolate else VideoReader(video)
    _check_span(chosen, reader.info)
    target = _resolved(Path(output))
    target = target.with_suffix(".png") if preview else target
    record = target.with_name(target.name + ".json")
    plan = Plan(reader, prompt, target, record, chosen, preview, overwrite, fresh, keep_partial, isolate)
    check_output(target, replace(reader.info, frame_count=plan.frame_count), overwrite)
    if plan.record.is_dir() or (plan.record.exists() and not overwrite):
        raise InputError(f"{plan.record} exists already: pass --overwrite to replace it, or name the output otherwise")
    if chosen.style_image is not None:
        _check_image(Path(chosen.style_image))
    elif not (isinstance(prompt, str) and prompt.strip()):
        raise InputError('the prompt is empty: describe the style, e.g. "Make it an Ukiyo-e painting."')
    if chosen.flow == "raft":
        require("torchvision", "RAFT", "pip install torchvision, or use dis, which needs nothing more")
    return plan


def _resolved(output: Path) -> Path:
    """Where `output` leads, also through folders that are not there yet: so it cannot turn out to be the input."""
    if str(output) == "-":
        raise InputError("the output cannot be a pipe: give it a file name")
    if not output.name:
        raise InputError(f"{output} is a folder: give the output a name")
    try:
        str(output).encode()
        output.exists()
        return output.resolve() if ".." in output.parts else output
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"{str(output)[:60]!r}… cannot be a file name ({reason}): give the output another") from error


def _check_image(path: Path) -> None:
    try:
        with PIL.Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"cannot read {path} as an image: give a .png, .jpg or .webp file") from error


def _check_span(settings: Settings, info: VideoInfo) -> None:
    if settings.end_s is not None and settings.end_s <= settings.start_s:
        raise InputError(f"--end {settings.end_s} is not after --start {settings.start_s}: give a later end")
    if settings.start_s >= info.duration_s:
        raise InputError(
            f"--start {settings.start_s} is past the end of {info.path}: give less than its {info.duration_s:.2f} s"
        )
