"""Ray's workers make what one process makes; a worker that dies costs its segments only."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import style_a_video as sav
from style_a_video import cluster as clusters
from style_a_video.batch import Row
from style_a_video.job import Watcher, run_job
from style_a_video.plan import plan_job
from style_a_video.segments import Recipe, Segment
from style_a_video.settings import INSTRUCT_PIX2PIX_DEFAULTS, Settings
from style_a_video.video import VideoFrame, VideoReader, output_for
from tests.conftest import moving_picture, write_clip

pytest.importorskip("ray", reason="needs the extra 'cluster'")
pytestmark = pytest.mark.xdist_group("cluster")
QUICK: dict[str, Any] = {"size": 48, "batch_size": 4, "keyframe_interval": 4, "fast": True}


@pytest.fixture(scope="module")
def cluster() -> Iterator[clusters.Cluster]:
    with clusters.open_cluster("local", workers=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of 100 frames and one of 210, with sound."""
    shots = [moving_picture(100, 64, 48), 255 - moving_picture(100, 64, 48), moving_picture(210, 64, 48) // 3]
    return write_clip(tmp_path_factory.mktemp("film") / "in.mp4", np.concatenate(shots), audio="aac")


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_the_same_bytes_as_one_process(film: Path, tmp_path: Path, cluster: clusters.Cluster, name: str) -> None:
    alone, apart = tmp_path / f"alone-{name}", tmp_path / name
    told: list[tuple[int, int]] = []
    run_job(plan_job(film, "a pencil drawing", alone, **QUICK))
    run_job(
        plan_job(film, "a pencil drawing", apart, **QUICK), None, Watcher(lambda *counts: told.append(counts)), cluster
    )
    if apart.is_dir():
        for one, other in zip(sorted(alone.iterdir()), sorted(apart.iterdir()), strict=True):
            assert one.read_bytes() == other.read_bytes()
    else:
        assert apart.read_bytes() == alone.read_bytes()
    assert told[-1] == (410, 410)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_killed_worker_costs_its_segments_only(film: Path, tmp_path: Path, cluster: clusters.Cluster) -> None:
    alone, apart = tmp_path / "alone.mp4", tmp_path / "apart.mp4"
    run_job(plan_job(film, "charcoal", alone, **QUICK))
    workers = [
        cluster.ray.get(worker.process_id.options(concurrency_group="progress").remote()) for worker in cluster.workers
    ]

    def kill() -> None:
        time.sleep(1)
        os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    run_job(plan_job(film, "charcoal", apart, **QUICK), None, None, cluster)
    killer.join()
    assert apart.read_bytes() == alone.read_bytes()


def test_a_preview_is_one_picture(film: Path, tmp_path: Path, cluster: clusters.Cluster) -> None:
    alone, apart = tmp_path / "alone.png", tmp_path / "apart.png"
    for path, maker in ((alone, None), (apart, cluster)):
        assert run_job(plan_job(film, "charcoal", path, preview=True, **QUICK), None, None, maker).frames == 1
    assert alone.read_bytes() == apart.read_bytes()


def test_a_fault_on_a_worker_is_told_here(film: Path, cluster: clusters.Cluster) -> None:
    settings = Settings(model="/nowhere/model", **QUICK).resolve(INSTRUCT_PIX2PIX_DEFAULTS)
    output = output_for(Path("out.mp4"), (64, 48), VideoReader(film).info)
    segment = Segment(0, 1, [VideoFrame(np.zeros((48, 64, 3), np.uint8), 0)], False)
    with pytest.raises(sav.InputError, match="there is no model '/nowhere/model'"):
        list(cluster.made(Recipe("charcoal", settings, (64, 48), output), [segment]))


def test_rows_of_a_batch(film: Path, tmp_path: Path, cluster: clusters.Cluster) -> None:
    rows = [
        Row(film, "charcoal", tmp_path / "a.png", {"size": 48, "end_s": 0.04}),
        Row(tmp_path / "none.mp4", "charcoal", tmp_path / "b.mp4"),
        Row(film, "a comic", tmp_path / "c.png", {"size": 48, "end_s": 0.04}),
    ]
    outcomes = list(cluster.rows(rows, False, False))
    assert [outcome.status for outcome in outcomes] == ["made", "failed", "made"]
    assert "does not exist" in outcomes[1].error


def test_no_cluster_is_one_line() -> None:
    with pytest.raises(sav.InputError, match="no cluster at"), clusters.open_cluster("127.0.0.1:1"):
        pass
