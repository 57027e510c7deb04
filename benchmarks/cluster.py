"""Ray's workers against one process: bytes, seconds, killed workers, and the seam within a long shot.

    python benchmarks/cluster.py [--kills 5] [--size 128]

Makes a film of five shots and one of a single long shot, both moving. Prints whether workers make the bytes of one
process, the seconds of 1 and 2 workers and of the process itself, the same with workers killed while they work, and in
the long shot E_pair at the borders of segments over E_pair at the keyframes around. Every worker has one thread.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

from style_a_video.cluster import Cluster, open_cluster
from style_a_video.evaluation.metrics.flicker import flows_at_distance, pair_errors
from style_a_video.job import run_job
from style_a_video.models import load_pipeline
from style_a_video.plan import plan_job
from style_a_video.temporal import dis_flow
from style_a_video.video import VideoInfo, VideoReader, open_writer


def make_film(path: Path, shots: list[int]) -> Path:
    """Patterns that move, another in every shot."""
    rng = np.random.default_rng(0)
    info = VideoInfo(path, 160, 128, sum(shots), Fraction(25), Fraction(1, 12800), (), sum(shots) / 25)
    with open_writer(path, (160, 128), info) as writer:
        number = 0
        for length in shots:
            blocks = rng.integers(20, 235, (16, 200, 3), dtype=np.uint8)
            grain = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
            for k in range(length):
                writer.write(np.roll(grain, -k, axis=1)[:, :160], 512 * number)
                number += 1
    return path


def timed(job: Callable[[], Any]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def main(kills: int = 5, size: int = 128) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        film, long = make_film(folder / "film.mp4", [110, 130, 100, 120, 140]), make_film(folder / "long.mp4", [500])

        def run(source: Path, name: str, cluster: Cluster | None) -> Path:
            plan = plan_job(source, "a pencil drawing", folder / name, size=size)
            run_job(plan, pipeline, None, cluster)
            return folder / name

        pipeline = load_pipeline()
        alone = timed(partial(run, film, "alone.mp4", None))
        expected = (folder / "alone.mp4").read_bytes()
        print("| made by | seconds | same bytes |\n|---|---|---|")
        print(f"| one process, one thread | {alone:.1f} | |", flush=True)
        for count in (1, 2):
            name = f"workers-{count}.mp4"
            with open_cluster("local", workers=count) as cluster:
                run(film, f"warm-{count}.mp4", cluster)  # loads the model
                seconds = timed(partial(run, film, name, cluster))
            same = (folder / name).read_bytes() == expected
            print(f"| {count} worker{'s' * (count > 1)} | {seconds:.1f} | {same} |", flush=True)
        with open_cluster("local", workers=2) as cluster:
            seconds = timed(partial(killed, cluster, partial(run, film, "killed.mp4", cluster), kills))
            same = (folder / "killed.mp4").read_bytes() == expected
            print(f"| 2 workers, {kills} killed | {seconds:.1f} | {same} |", flush=True)
            run(long, "seams", cluster)
        run(long, "whole", None)
        report_seams(long, folder / "seams", folder / "whole")


def killed(cluster: Cluster, job: Callable[[], Any], kills: int) -> None:
    """Run a job, and kill a worker every few seconds."""
    done = threading.Event()

    def kill() -> None:
        rng = np.random.default_rng(0)
        for number in range(kills):
            if done.wait(float(rng.uniform(4, 9))):
                print(f"only {number} could be killed")
                return
            worker = cluster.workers[number % len(cluster.workers)]
            asked = worker.process_id.options(concurrency_group="progress").remote()
            os.kill(cluster.ray.get(asked), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    job()
    done.set()
    killer.join()


def report_seams(source: Path, seams: Path, whole: Path) -> None:
    """E_pair across the borders of segments over E_pair within them; in PNGs, which no encoder touched."""
    output, width, height = _frames(seams)
    original = np.stack([frame.pixels for frame in VideoReader(source).frames((width, height))])
    inputs = torch.from_numpy(original).permute(0, 3, 1, 2).float() / 255
    errors = pair_errors(output[1:], output[:-1], *flows_at_distance(dis_flow(), inputs, 1)).numpy()
    borders = np.arange(192, len(errors), 192) - 1  # the pair that a border lies in
    # The frames around, so that a keyframe is compared with keyframes.
    around = np.setdiff1d(np.concatenate([borders + 8 * k for k in (-3, -2, -1, 1, 2, 3)]), borders)
    across, within = float(errors[borders].mean()), float(errors[around].mean())
    same = all(image.read_bytes() == (whole / image.name).read_bytes() for image in seams.iterdir())
    print(
        f"\nlong shot of {len(output)} frames: same bytes as one process: {same}; E_pair at the borders {across:.5f}, "
        f"at the keyframes around {within:.5f}, ratio {across / within:.2f}"
    )


def _frames(path: Path) -> tuple[torch.Tensor, int, int]:
    pixels = np.stack([frame.pixels for frame in VideoReader(path).frames()])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, pixels.shape[2], pixels.shape[1]


if __name__ == "__main__":
    typer.run(main)
