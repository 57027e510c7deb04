"""Small random models and synthetic clips that the tests share."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import av
import numpy as np
import PIL.Image
import pytest
import skimage
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from tokenizers import pre_tokenizers, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

import style_a_video as sav
from style_a_video import cli
from style_a_video.models import bundled_folder

MAX_TOKENS = 48
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
CLIPS = Path(__file__).parents[2] / "shared" / "clips"


def build_tokenizer(corpus: Iterable[str], vocabulary: int = 3000) -> CLIPTokenizer:
    """A byte-level BPE tokenizer of CLIP's class, trained on the captions; any Unicode text can be encoded."""
    blank = CLIPTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    backend = blank.backend_tokenizer
    backend.train_from_iterator(corpus, trainer)
    state = json.loads(backend.to_str())["model"]
    vocabulary_map: dict[str, int] = dict(sorted(state["vocab"].items(), key=lambda item: item[1]))
    # A word that ends in a byte never seen at a word's end must not become the unknown token, which is end-of-text.
    for byte in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary_map.setdefault(f"{byte}</w>", len(vocabulary_map))
    merges = [tuple(merge) for merge in state["merges"]]
    return CLIPTokenizer(vocab=vocabulary_map, merges=merges, model_max_length=MAX_TOKENS)


def tiny_unet(in_channels: int = 8) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def tiny_pipeline(in_channels: int = 8) -> sav.StyleAVideoPipeline:
    """A random pipeline in Stable Diffusion's layout: two levels, 4 latent channels, first stage 2x down."""
    torch.manual_seed(0)
    tokenizer = build_tokenizer(["make it an ukiyo-e painting", "a pencil drawing of a cat"], vocabulary=600)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=48,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    image = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
            projection_dim=16,
        )
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
    )
    pipeline = sav.StyleAVideoPipeline(vae, text, tokenizer, tiny_unet(in_channels), DDIMScheduler(), image)
    pipeline.set_progress_bar_config(disable=True)
    for module in (vae, text, image, pipeline.unet):
        module.eval().requires_grad_(False)
    return pipeline


@pytest.fixture
def pipeline() -> sav.StyleAVideoPipeline:
    return tiny_pipeline()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny pipeline, saved."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def bundled() -> sav.StyleAVideoPipeline:
    """The bundled model in float32."""
    bundled_folder()
    return sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)


def moving_picture(count: int, width: int, height: int) -> np.ndarray:
    """(count, height, width, 3) uint8: smooth colours that drift, different in every corner."""
    y, x = np.mgrid[0:height, 0:width]
    frames = [
        np.stack([x * 255 / width, y * 255 / height, 127 + 120 * np.sin((x + y + 4 * t) / 9)], axis=2)
        for t in range(count)
    ]
    return np.stack(frames).astype(np.uint8)


def moving_photograph(name: str, count: int, width: int, height: int) -> np.ndarray:
    """(count, height, width, 3) uint8: a camera that passes over a photograph of scikit-image, 2 pixels a frame."""
    picture = PIL.Image.open(Path(skimage.__file__).parent / "data" / f"{name}.jpg").convert("RGB")
    scale = height / picture.height
    small = np.asarray(picture.resize((round(picture.width * scale), height), PIL.Image.Resampling.LANCZOS))
    return np.stack([small[:, 2 * t : 2 * t + width] for t in range(count)])


def write_clip(
    path: Path,
    frames: np.ndarray,
    pts: list[int] | None = None,
    time_base: Fraction = Fraction(1, 12800),
    rate: Fraction = Fraction(25),
    codec: str = "libx264",
    audio: str | None = None,
    rotation: int = 0,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Encode frames with PyAV directly (not with the code under test)."""
    step = round(1 / (rate * time_base))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream(audio, rate=44100) if audio else None
        for k, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = (pts[k] if pts else k * step), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            seconds = len(frames) / float(rate)
            for start in range(0, int(44100 * seconds), 1024):
                wave = (8000 * np.sin(np.arange(start, start + 1024) * 0.05)).astype(np.int16)
                chunk = av.AudioFrame.from_ndarray(
                    np.stack([wave, wave]).T.reshape(1, -1), format="s16", layout="stereo"
                )
                chunk.sample_rate, chunk.pts, chunk.time_base = 44100, start, Fraction(1, 44100)
                container.mux(sound.encode(chunk))
            container.mux(sound.encode(None))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """clip(name, frames=..., width=..., height=..., **write_clip's) -> path."""

    def make(name: str = "in.mp4", count: int = 5, width: int = 64, height: int = 48, **more: object) -> Path:
        return write_clip(tmp_path / name, moving_picture(count, width, height), **more)

    return make


def packets(path: Path, kind: str) -> list[tuple[int | None, bytes]]:
    """(pts, payload) of all packets of one kind of stream, in file order."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [(packet.pts, bytes(packet)) for packet in container.demux(*streams) if packet.size] if streams else []


def times(path: Path) -> list[Fraction]:
    """Presentation times of all video frames, in seconds, in display order."""
    with av.open(str(path)) as container:
        return [Fraction(frame.pts or 0) * frame.time_base for frame in container.decode(video=0)]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """run("stylize", ...) -> (exit code, what was printed)."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["style-a-video", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as done:
            code = int(done.code or 0)
        captured = capfd.readouterr()
        return code, captured.out + captured.err

    return call


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real browser, whose camera shows a test picture. There can be one in a process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: run scripts/install_chromium.sh as root")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", *CAMERA]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=arguments)
        yield running
        running.close()
