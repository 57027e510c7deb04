"""What one looks at while the bundled model trains: the losses as curves, and pictures of the UNet as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor

from ..atomic import atomic_path
from ..devices import autocast
from ..optimization import predict_clean
from ..sheets import contact_sheet
from ..styles.media import STYLES
from .pairs import Pairs
from .unet import build_scheduler

matplotlib.use("Agg")
from matplotlib import pyplot

CONTENTS = 6
"""Pictures to a row of the sheet of samples."""


def draw_curves(folder: Path) -> None:
    """Draw every loss and its terms against the step, from the logs (NAME.jsonl) of a folder, to `curves.png` there."""
    logs = {log.stem: log.read_text().splitlines() for log in sorted(folder.glob("*.jsonl"))}
    # One row is no curve yet.
    parts = {name: [json.loads(line) for line in lines] for name, lines in logs.items() if len(lines) > 1}
    if not parts:
        return
    figure, panels = pyplot.subplots(1, len(parts), figsize=(3.2 * len(parts), 2.6), squeeze=False)
    for panel, (name, rows) in zip(panels[0], parts.items(), strict=True):
        for term in sorted(rows[-1].keys() - {"step", "rate", "time"}):
            there = [row for row in rows if term in row]
            panel.plot([row["step"] for row in there], [row[term] for row in there], linewidth=1, label=term)
        panel.legend(fontsize=6)
        panel.set_title(f"{name}: {rows[-1]['loss']:.3f}", fontsize=9)
        panel.set_yscale("log")
        panel.tick_params(labelsize=7)
    figure.tight_layout()
    with atomic_path(folder / "curves.png") as partial:
        figure.savefig(partial, dpi=110)
    pyplot.close(figure)


@torch.no_grad()
def draw_samples(
    unet: UNet2DConditionModel,
    vae: AutoencoderTiny,
    latents: NDArray[np.float16],
    pairs: Pairs,
    states: Callable[[list[str]], Tensor],
    path: Path,
) -> None:
    """Draw CONTENTS contents in every medium, made in one step, each row by the medium's canonical prompt.

    Args:
        unet: as it is, in whatever dtype it trains.
        latents: (N, columns, C, h, w); column 0 is the content.
        states: the text encoder's hidden states of sentences.
    """
    scheduler = build_scheduler()
    device = next(unet.parameters()).device
    rows = range(min(CONTENTS, len(pairs)))
    noise = torch.from_numpy(np.stack([pairs.noise(row, 0) for row in rows])).to(device)
    frames = torch.from_numpy(np.stack([latents[row, 0] for row in rows]).astype(np.float32)).to(device)
    timesteps = torch.full((len(noise),), 999, device=device)
    noisy = scheduler.add_noise(frames, noise, timesteps)
    alpha_cumprod = scheduler.alphas_cumprod.to(device)[timesteps].view(-1, 1, 1, 1)
    shown = {"content": [np.array(pairs.picture(row, 0)) for row in rows]}
    for style in STYLES:
        text = states([style.prompt]).to(unet.dtype).expand(len(noise), -1, -1)
        velocity = unet(torch.cat([noisy, frames], dim=1).to(unet.dtype), timesteps, text).sample.float()
        with autocast(device):
            made = vae.decode(predict_clean(velocity, noisy, alpha_cumprod, "v_prediction")).sample
        pixels = ((made.float().clamp(-1, 1) + 1) * 127.5).round().byte()
        shown[style.name] = list(pixels.permute(0, 2, 3, 1).cpu().numpy())
    with atomic_path(path) as partial:
        contact_sheet(shown, height=192).save(partial)
