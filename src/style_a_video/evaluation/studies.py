"""The three commands: measure one output, compare methods, ablate this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import write_atomically
from ..errors import InputError
from ..frames import encode_image
from ..job import Progress
from ..models.loading import load_pipeline, load_refiner
from ..pipeline import StyleAVideoPipeline
from ..settings import BUNDLED
from ..temporal import Refiner
from . import ablation, methods
from .cache import Cell
from .clips import Clip, read_clip, read_pair
from .encoders import Encoder, bundled_encoder, clip_encoder
from .methods import Method, from_outputs, ours, output_stem
from .metrics import Measures, measure
from .report import HeatMaps, Report, Section, frames_as_csv, write_report
from .runner import fill_cells

FEWEST_FRAMES = 2


def evaluate(
    source: Path,
    output: Path,
    prompt: str,
    model: str = BUNDLED,
    judge: str | None = None,
    on_progress: Progress | None = None,
) -> tuple[Measures, list[Path]]:
    """Measure what was made of a video.

    Writes `OUTPUT.evaluation.json`, `OUTPUT.evaluation.csv` (a row a frame) and `OUTPUT.heatmaps.png` beside it.

    Args:
        source, output: the input video and what was made of it: the same frames at the same rate, in the same shape.
        prompt: the sentence it was made for.
        model: whose φ measures content and style, unless `judge` names a CLIP (hub id or folder).

    Returns:
        The measures and the files written.

    Raises:
        InputError: when the two do not belong together, or the encoder cannot be loaded.
    """
    if not prompt.strip():
        raise InputError("the prompt is empty: give the sentence that the output was made for")
    output = output.resolve()
    before, pixels = read_pair(source, output)
    encoder = clip_encoder(judge) if judge else bundled_encoder(load_pipeline(model), model)
    maps = HeatMaps(len(before))
    found = measure(before, pixels, prompt, encoder, maps, on_progress)
    record = output.with_name(output.name + ".evaluation.json")
    content = {"input": str(source), "output": str(output), "prompt": prompt, **found.record()}
    write_atomically(record, json.dumps(content, indent=1) + "\n")
    frames = output.with_name(output.name + ".evaluation.csv")
    write_atomically(frames, frames_as_csv(found))
    sheet = maps.sheet()
    if sheet is None:
        return found, [record, frames]
    drawn = output.with_name(output.name + ".heatmaps.png")
    write_atomically(drawn, encode_image(sheet))
    return found, [record, frames, drawn]


@dataclass(frozen=True)
class Study:
    """What a comparison or an ablation runs on."""

    clips: Sequence[Clip]
    prompts: Sequence[str]
    pipeline: StyleAVideoPipeline
    refiner: Refiner
    encoder: Encoder
    model: str
    folder: Path

    @property
    def work(self) -> Path:
        """Where results are kept."""
        return self.folder / "cells"

    def about(self) -> str:
        """How the study was made, in a sentence or two."""
        names = ", ".join(clip.name for clip in self.clips)
        size = " and ".join(sorted({f"{clip.pixels.shape[2]}x{clip.pixels.shape[1]}" for clip in self.clips}))
        frames = " to ".join(map(str, sorted({min(map(len, self.clips)), max(map(len, self.clips))})))
        prompts = "; ".join(f'"{prompt}"' for prompt in self.prompts)
        return (
            f"Model: {self.model}. Content and style by {self.encoder.name}. {len(self.clips)} clips ({names}), "
            f"the first {frames} frames of each at {size}. Prompts: {prompts}. Flow by DIS on the input."
        )


def prepare(
    paths: Sequence[Path],
    prompts: Sequence[str],
    folder: Path,
    frames: int,
    model: str = BUNDLED,
    judge: str | None = None,
) -> Study:
    """Load everything that a study needs. Raises InputError for what cannot be used."""
    if not paths or not prompts:
        raise InputError("give one clip or more, and --prompt once or more")
    if any(not prompt.strip() for prompt in prompts):
        raise InputError("a prompt is empty: give one sentence with each --prompt")
    if frames < FEWEST_FRAMES:
        raise InputError(f"--frames is {frames}: give {FEWEST_FRAMES} or more")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give --folder another name")
    pipeline = load_pipeline(model)
    clips = [read_clip(path, pipeline.defaults()["size"], frames) for path in paths]
    names = [clip.name for clip in clips]
    if len(set(names)) < len(names):
        raise InputError("two clips have the same file name: rename one, so that the tables can tell them apart")
    short = [clip.name for clip in clips if len(clip) < FEWEST_FRAMES]
    if short:
        raise InputError(f"{short[0]} has 1 frame: flicker needs {FEWEST_FRAMES} or more")
    stems = [output_stem(name, prompt) for name in names for prompt in dict.fromkeys(prompts)]
    if len(set(stems)) < len(stems):
        raise InputError("two prompts differ by punctuation alone: their outputs could not be told apart")
    encoder = clip_encoder(judge) if judge else bundled_encoder(pipeline, model)
    return Study(clips, list(dict.fromkeys(prompts)), pipeline, load_refiner(), encoder, model, folder)


def compare(
    study: Study, outputs: dict[str, Path] | None = None, only: Sequence[str] = (), on_progress: Progress | None = None
) -> tuple[Path, list[Cell]]:
    """This method beside its peers, and beside other systems by their videos.

    Args:
        outputs: names of other systems, and the folders of their videos (see `methods.from_outputs`).
        only: names of the built-in methods to run; all by default.

    Returns:
        The report's page and all cells. A method that fails on a clip is a row that says so.

    Raises:
        InputError: for a method that there is not, or a name used twice.
    """
    built_in = built_in_methods(study)
    unknown = set(only) - {method.name for method in built_in}
    if unknown:
        names = ", ".join(repr(method.name) for method in built_in)
        raise InputError(f"there is no method {sorted(unknown)[0]!r}: choose from {names}")
    chosen = [method for method in built_in if not only or method.name in only]
    chosen += [from_outputs(name, folder) for name, folder in (outputs or {}).items()]
    if len({method.name for method in chosen}) < len(chosen):
        raise InputError("--outputs names a method that is built in: give it another name")
    cells = fill_cells(
        study.work, chosen, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner, on_progress
    )
    sections = [Section("All methods", cells, players=True)]
    report = Report("Comparison", study.about(), sections, study.clips, study.work)
    return write_report(report, study.folder), cells


def built_in_methods(study: Study) -> list[Method]:
    """On the study's weights, and without diffusion; each peer also followed by the refiner."""
    peers = [
        methods.instruct_pix2pix(study.pipeline, cross_frame=False),
        methods.instruct_pix2pix(study.pipeline, cross_frame=True),
        methods.sdedit(study.pipeline),
        methods.renderer(),
        methods.statistics_transfer(study.pipeline),
        methods.gatys(study.pipeline),
    ]
    refined = [methods.with_refiner(peer, study.refiner) for peer in peers]
    return [ours(study.pipeline, study.refiner), *(m for pair in zip(peers, refined, strict=True) for m in pair)]


def ablate(study: Study, on_progress: Progress | None = None) -> tuple[Path, list[Cell]]:
    """Every group of `ablation.groups`: the report's page and all cells."""
    groups = ablation.groups(study.pipeline.defaults())
    rows = [(title, name, settings) for title, group in groups.items() for name, settings in group.items()]
    chosen = [ours(study.pipeline, study.refiner, name, settings) for _, name, settings in rows]
    cells = fill_cells(
        study.work, chosen, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner, on_progress
    )
    # For each clip and prompt all methods, in their order.
    titles = [title for title, *_ in rows] * (len(cells) // len(rows))
    sections = []
    for title, group in groups.items():
        own = [cell for of, cell in zip(titles, cells, strict=True) if of == title]
        setting = ablation.SWEPT.get(title)
        swept = {name: float(settings[setting]) for name, settings in group.items()} if setting else {}
        sections.append(Section(title, own, players=title == ablation.TIME, swept=swept))
    report = Report("Ablation", study.about(), sections, study.clips, study.work)
    return write_report(report, study.folder), [cell for section in sections for cell in section.cells]


def summary(found: Measures) -> list[tuple[str, str]]:
    """Name and mean of every measure, as a table prints them."""
    means: dict[str, Any] = found.means()
    return [(name.replace("_", " "), "-" if value is None else f"{value:.4f}") for name, value in means.items()]
