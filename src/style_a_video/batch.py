"""Many files: every input in every style, the model loaded once; one that fails does not stop the others."""

from __future__ import annotations

import csv
import glob
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .atomic import write_atomically
from .errors import InputError
from .plan import plan_job
from .settings import Settings
from .video.opening import IMAGE_SUFFIXES, VIDEO_SUFFIXES

if TYPE_CHECKING:
    from .pipeline import StyleAVideoPipeline

TABLES = (".csv", ".jsonl")
COLUMNS = ("video", "prompt", "output", *Settings.model_fields)


@dataclass(frozen=True)
class Row:
    """One file to make."""

    video: Path
    prompt: str
    output: Path
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of `Settings` that are not as usual."""


@dataclass(frozen=True)
class Outcome:
    """What became of a row: "made", "kept" (it was there already, made in the same way) or "failed"."""

    video: str
    prompt: str
    output: str
    status: str
    frames: int = 0
    seconds: float = 0.0
    error: str = ""


Watch = Callable[[Row], AbstractContextManager[Callable[[int, int], None]]]


def rows_of(inputs: Iterable[str], prompts: Sequence[str], folder: Path, settings: dict[str, Any]) -> list[Row]:
    """The rows that inputs stand for, in their order.

    Args:
        inputs: videos, images, folders (of videos, or of the images of one clip), patterns such as `clips/*.mp4`, and
            tables. A table is .csv with a header or .jsonl: `video`, `prompt` and `output` (a name in `folder`) and any
            fields of `Settings`; what is left out is as for all. Its videos' paths start at its own folder.
        prompts: every video is made in each.
        folder: where outputs go, named after the video, and after the prompt if there is more than one.
        settings: fields of `Settings` for all.

    Raises:
        InputError: a table cannot be read, nothing is found, or no prompt is given.
    """
    rows: list[Row] = []
    for name in inputs:
        if Path(name).suffix.lower() in TABLES:
            rows += _table_rows(Path(name), prompts, folder, settings)
            continue
        for video in _videos(name):
            if not prompts:
                raise InputError(f"no style for {video}: give --prompt, or a table with prompts")
            rows += [
                Row(video, prompt, folder / _name(video, prompt, len(prompts) > 1), settings) for prompt in prompts
            ]
    if not rows:
        raise InputError("there is nothing to do: give videos, folders, patterns, or a table with rows")
    return _distinct(rows)


def _videos(name: str) -> Iterator[Path]:
    path = Path(name)
    if not path.exists() and glob.has_magic(name):
        found = sorted(map(Path, glob.glob(name, recursive=True)))
        if not found:
            raise InputError(f"{name} matches no file: check the pattern")
        yield from (child for child in found if child.is_dir() or child.suffix.lower() not in (".json", *TABLES))
    elif path.is_dir():
        children = sorted(path.iterdir())
        videos = [child for child in children if child.suffix.lower() in VIDEO_SUFFIXES and child.name[0] != "."]
        if videos and any(child.suffix.lower() in IMAGE_SUFFIXES for child in children):
            raise InputError(f"{path} holds videos and images: give the videos as {path}/*.mp4, or move the images")
        yield from videos or [path]
    else:
        yield path


def _table_rows(path: Path, prompts: Sequence[str], folder: Path, settings: dict[str, Any]) -> Iterator[Row]:
    for number, cells in enumerate(_cells(path), start=1):
        video = cells.pop("video", "")
        if not video:
            raise InputError(f"{path}, row {number}: there is no `video`: name one in every row")
        source = path.parent / str(video)
        wanted = [str(cells.pop("prompt"))] if cells.get("prompt") else list(prompts)
        cells.pop("prompt", None)
        name = str(cells.pop("output", "") or "")
        if not wanted:
            raise InputError(f"{path}, row {number}: there is no `prompt`: name one, or give --prompt")
        for prompt in wanted:
            output = folder / (name or _name(source, prompt, len(wanted) > 1))
            yield Row(source, prompt, output, settings | cells)


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            table = csv.DictReader(text.splitlines())
            unknown = [name for name in table.fieldnames or [] if name and name not in COLUMNS]
            rows = [{name: _value(cell) for name, cell in row.items() if name and cell} for row in table]
            if unknown:
                raise InputError(
                    f"{path} has a column {unknown[0]!r}: its columns are video, prompt, output and settings"
                )
            return rows
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except InputError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read the table {path} ({reason}): give .csv with a header, or .jsonl") from error
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(f'{path} has lines that are no objects: write {{"video": …, "prompt": …}} in every line')
    return rows


def _value(cell: str) -> Any:
    """A cell as the number or truth value that it is, else as text."""
    try:
        value = json.loads(cell.lower() if cell.lower() in ("true", "false") else cell)
    except ValueError:
        return cell
    return value if isinstance(value, int | float) else cell


def _name(video: Path, prompt: str, with_prompt: bool) -> str:
    words = "-".join(re.findall(r"\w+", prompt.lower()))[:60].rstrip("-")
    suffix = ".png" if video.suffix.lower() in IMAGE_SUFFIXES else ".mp4"
    return f"{video.stem}{f'-{words}' if with_prompt else ''}{suffix}"


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """The rows with outputs that differ, also where capitals do not count: of one name the second is numbered 2."""
    taken: set[str] = set()
    distinct = []
    for row in rows:
        output, number = row.output, 1
        while str(output).casefold() in taken:
            number += 1
            output = row.output.with_stem(f"{row.output.stem}-{number}")
        taken.add(str(output).casefold())
        distinct.append(Row(row.video, row.prompt, output, row.settings))
    return distinct


def run_batch(
    rows: Sequence[Row], overwrite: bool = False, fresh: bool = False, watch: Watch | None = None
) -> list[Outcome]:
    """Make all rows, one after the other. A row that fails is told in its outcome.

    Args:
        overwrite: make outputs that are there already anew, in whichever way they were made.
        fresh: start rows anew that were stopped in the middle.
        watch: gives, around the work on a row, what is called with (frames done, frames in all).
    """
    load = OneModel()
    return [outcome_of(row, overwrite, fresh, load, watch) for row in rows]


class OneModel:
    """Loads models, and keeps the last one in memory."""

    def __init__(self) -> None:
        self._name = ""
        self._pipeline: StyleAVideoPipeline | None = None

    def __call__(self, name: str) -> StyleAVideoPipeline:
        """The model of that name. Raises InputError as `load_pipeline` does."""
        from .models import load_pipeline  # it takes seconds to import, and mistakes are told before

        if name != self._name or self._pipeline is None:
            self._pipeline = None
            self._name, self._pipeline = name, load_pipeline(name)
        return self._pipeline


def outcome_of(row: Row, overwrite: bool, fresh: bool, load: OneModel, watch: Watch | None = None) -> Outcome:
    """Make a row, and say what became of it. Arguments as of `run_batch`."""
    described = (str(row.video), row.prompt, str(row.output))
    try:
        if not overwrite and _was_made(row):
            return Outcome(*described, "kept")
        plan = plan_job(row.video, row.prompt, row.output, overwrite=overwrite, fresh=fresh, **row.settings)
        from .job import Watcher, run_job

        pipeline = load(plan.settings.model)
        with watch(row) if watch else nullcontext() as report:
            result = run_job(plan, pipeline, Watcher(report))
    except Exception as error:  # whatever it is, the other rows are made
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Outcome(*described, "failed", error=reason)
    return Outcome(*described, "made", result.frames, round(result.seconds, 2))


def _was_made(row: Row) -> bool:
    """Whether the output is there, and its record names this input, prompt and settings."""
    record = row.output.with_name(row.output.name + ".json")
    if not (row.output.exists() and record.is_file() and row.video.exists()):
        return False
    from .record import fingerprint

    asked = {
        "fingerprint": fingerprint(row.video),
        "prompt": row.prompt,
        "requested": Settings(**row.settings).model_dump(),
    }
    try:
        made = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        return False
    asked = json.loads(json.dumps(asked))
    return isinstance(made, dict) and all(made.get(name) == value for name, value in asked.items())


def write_outcomes(folder: Path, outcomes: Sequence[Outcome]) -> Path:
    """The outcomes as `FOLDER/batch.json`. Raises InputError when it cannot be written."""
    path = folder / "batch.json"
    write_atomically(path, json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False) + "\n")
    return path
