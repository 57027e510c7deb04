"""How did training go? Draws the loss of every part and its terms against the step, from the logs of a training folder.

python benchmarks/training_curves.py ../training docs/curves.png
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import typer

matplotlib.use("Agg")
from matplotlib import pyplot


def main(folder: Path, picture: Path) -> None:
    logs = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    # Stages of fewer than two rows (100 steps) have no curve.
    logs = [log for log in logs if log.read_text().count("\n") > 1]
    if not logs:
        raise SystemExit(f"{folder} holds no training logs (*.jsonl): give the --work folder of `style-a-video train`")
    figure, panels = pyplot.subplots(1, len(logs), figsize=(3.2 * len(logs), 2.6), squeeze=False)
    for panel, log in zip(panels[0], logs, strict=True):
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        for name in rows[-1].keys() - {"step", "rate", "time"}:
            there = [row for row in rows if name in row]
            panel.plot([row["step"] for row in there], [row[name] for row in there], linewidth=1, label=name)
        panel.legend(fontsize=6)
        panel.set_title(f"{log.stem}: {rows[-1]['loss']:.3f}", fontsize=9)
        panel.set_yscale("log")
        panel.tick_params(labelsize=7)
        print(f"| {log.stem} | {rows[-1]['step']} steps | loss {rows[-1]['loss']:.4f} |")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    typer.run(main)
