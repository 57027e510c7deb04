"""Files that ask for too much, or for other files: each must be refused in one line, soon, and with little memory.

    python benchmarks/special_files.py

Makes pictures that would fill the memory, pipes, devices, playlists, patterns, text and model folders with faults, has
`style-a-video stylize` read each, and prints what it says, with seconds and peak memory. Ends with exit code 1 if
anything is not one line with exit code 2 within 10 s and 1.5 GB.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from safetensors.torch import load_file, save_file

import style_a_video
from style_a_video.checkpoints import bundled_folder
from survival import make_clip

SECONDS, BYTES = 10.0, 1.5e9


def png(width: int, height: int, bits: int = 1, kind: int = 0) -> bytes:
    """A PNG of zeros, which deflate to next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    channels = {0: 1, 2: 3, 6: 4}[kind]
    row = bytes(1 + (width * bits * channels + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(width: int, height: int, frames: int) -> bytes:
    """A GIF with a canvas of any size; its pictures are of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + picture * frames + b"\x3b"


def special_files(folder: Path, clip: Path) -> Iterator[tuple[str, Path]]:
    """(what it is, its path)."""

    def written(name: str, content: bytes | str) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    yield "PNG of 16x16000", written("tall.png", png(16, 16000))
    yield "PNG of 16000x16000, 16-bit RGBA", written("huge.png", png(16000, 16000, 16, 6))
    yield (
        "PNG that claims 2^31-1 rows",
        written("claims.png", png(64, 64)[:20] + b"\x7f\xff\xff\xff" + png(64, 64)[24:]),
    )
    yield "GIF of 65535x65535", written("wide.gif", gif(65535, 65535, 1))
    yield "GIF of 8000x8000 in 89 bytes", written("small.gif", gif(8000, 9000, 3))
    wide = b"YUV4MPEG2 W64 H64 F25:1 A1000:1 C420jpeg\n" + (b"FRAME\n" + bytes(64 * 96)) * 3
    yield "video with pixels 1000 times as wide as high", written("wide.y4m", wide)
    yield "more tracks than 64", many_tracks(folder / "tracks.mkv")
    os.mkfifo(folder / "pipe.mp4")
    yield "pipe", folder / "pipe.mp4"
    (folder / "images").mkdir()
    PIL.Image.new("RGB", (64, 64)).save(folder / "images" / "0.png")
    os.mkfifo(folder / "images" / "1.png")
    yield "folder of images with a pipe among them", folder / "images"
    yield "device", Path("/dev/zero")
    yield "playlist", written("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n")
    yield "playlist named .mp4", written("list.mp4", f"#EXTM3U\n#EXTINF:9,\nfile://{clip}\n#EXT-X-ENDLIST\n")
    yield "script that joins other files, named .mp4", written("join.mp4", f"ffconcat version 1.0\nfile {clip.name}\n")
    yield "the same, named .png", written("join.png", f"ffconcat version 1.0\nfile {clip.name}\n")
    yield (
        "session description",
        written("a.sdp", "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
    )
    yield "text", written("notes.txt", "nothing to see\n" * 50)
    yield "text drawn with colours", written("a.ans", "\x1b[31mred\x1b[0m\n" * 50)
    yield "name with a pattern", folder / "photo%d.png"
    yield "address", Path("http://127.0.0.1:9/in.mp4")
    yield "nothing", written("empty.mp4", b"")
    yield "zeros", written("zeros.mp4", bytes(100_000))
    yield "song with a cover", song(folder / "song.m4a")


def many_tracks(path: Path) -> Path:
    """Seventy sound tracks beside the pictures."""
    import av

    with av.open(str(path), "w") as container:
        streams: list[Any] = [container.add_stream("mpeg4", rate=25)]
        streams[0].width = streams[0].height = 64
        tracks: list[Any] = [container.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(70)]
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        container.mux(streams[0].encode(frame))
        for track in tracks:
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            sound.rate = 8000
            container.mux(track.encode(sound))
        container.mux(streams[0].encode(None))
    return path


def song(path: Path) -> Path:
    """Sound and nothing else."""
    import av

    with av.open(str(path), "w", format="ipod") as container:
        track: Any = container.add_stream("aac", rate=48000)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        sound.rate = 48000
        container.mux(track.encode(sound))
        container.mux(track.encode(None))
    return path


def model_folders(folder: Path) -> Iterator[tuple[str, Path]]:
    """Copies of the bundled model with one fault each: (the fault, the folder)."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(bundled_folder(), folder / name))

    def configured(part: str, **changes: Any) -> Path:
        path = copied(f"{part}-{next(iter(changes))}-{len(list(folder.iterdir()))}")
        config = path / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
        config.write_text(json.dumps(json.loads(config.read_text()) | changes))
        return path

    def weights_changed(part: str, change: Callable[[dict[str, torch.Tensor]], None], name: str) -> Path:
        path = copied(f"{part}-{name}")
        file = next((path / part).glob("*.safetensors"))
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file, {"format": "pt"})
        return path

    def drop(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[sorted(tensors)[len(tensors) // 2]]

    def poison(tensors: dict[str, torch.Tensor]) -> None:
        tensors[sorted(tensors)[-1]].view(-1)[0] = float("nan")

    def shrink(tensors: dict[str, torch.Tensor]) -> None:
        name = sorted(tensors)[-1]
        tensors[name] = tensors[name][..., :1].contiguous()

    for part in ("unet", "vae", "text_encoder", "image_encoder"):
        yield f"{part} lacks a tensor", weights_changed(part, drop, "lacks")
        yield f"{part} has a NaN", weights_changed(part, poison, "nan")
        yield f"{part} has a tensor of another shape", weights_changed(part, shrink, "shape")
    yield "UNet with zero heads", configured("unet", attention_head_dim=0)
    yield "UNet of 10^6 channels", configured("unet", block_out_channels=[32, 96, 192, 10**6])
    yield "UNet of 10^6 layers", configured("unet", layers_per_block=10**6)
    yield "text encoder of 10^6 layers", configured("text_encoder", num_hidden_layers=10**6)
    yield "text encoder with 10^9 words", configured("text_encoder", vocab_size=10**9)
    yield "scheduler of 10^10 steps", configured("scheduler", num_train_timesteps=10**10)
    yield "unknown scheduler", indexed(copied("scheduler-kind"), scheduler=["diffusers", "NoSuchScheduler"])
    yield "part from another module", indexed(copied("module"), unet=["os", "system"])
    path = copied("tokenizer")
    for file in (path / "tokenizer").iterdir():
        file.unlink()
    yield "tokenizer is empty", path
    path = copied("index")
    weights = next((path / "unet").glob("*.safetensors"))
    torch.save(load_file(weights), path / "unet" / "diffusion_pytorch_model-00001-of-00001.bin")
    names = dict.fromkeys(load_file(weights), "diffusion_pytorch_model-00001-of-00001.bin")
    weights.unlink()
    (path / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": names})
    )
    yield "index of safetensors that names a pickle", path
    path = Path(shutil.copytree(path, folder / "outside"))
    shutil.copy(next((bundled_folder() / "unet").glob("*.safetensors")), folder / "elsewhere.safetensors")
    (path / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "../../elsewhere.safetensors")})
    )
    yield "index that names a file outside the folder", path
    path = copied("notjson")
    (path / "unet" / "config.json").write_text("{")
    yield "configuration that is no JSON", path
    path = copied("short")
    weights = next((path / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:5000])
    yield "weights cut short", path


def indexed(path: Path, **changes: Any) -> Path:
    index = path / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | changes))
    return path


def refused(arguments: list[str]) -> tuple[bool, str]:
    """Whether the command refuses in one line, soon and with little memory; and a row of the table."""
    command = [sys.executable, "-m", "style_a_video.cli", "stylize", *arguments]
    read_end, write_end = os.pipe()
    began = time.perf_counter()
    child = os.posix_spawn(
        sys.executable, command, {**os.environ, "COLUMNS": "1000"},
        file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 2)],
    )  # fmt: skip
    os.close(write_end)
    os.set_blocking(read_end, False)
    said, status, peak = b"", None, 0
    while status is None and time.perf_counter() - began < 60:
        time.sleep(0.05)
        done, code, usage = os.wait4(child, os.WNOHANG)
        if done:
            status, peak = code, usage.ru_maxrss * 1024
        with suppress(BlockingIOError):
            said += os.read(read_end, 1 << 20)
    seconds = time.perf_counter() - began
    if status is None:
        os.kill(child, 9)
        os.wait4(child, 0)
        return False, f"HANGS | {seconds:.0f} | "
    os.close(read_end)
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith("note: ")]
    code = os.waitstatus_to_exitcode(status)
    fine = code == 2 and len(errors) == 1 and errors[0].startswith("error: ") and seconds < SECONDS and peak < BYTES
    text = errors[-1] if errors else f"nothing, exit code {code}"
    return (
        fine,
        f"{text if fine else f'{text} (exit code {code}, {len(errors)} lines)'} | {seconds:.1f} | {peak / 1e6:.0f}",
    )


def main() -> None:
    harm = 0
    print("| what it is | what is said | s | MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "models").mkdir()
        clip = make_clip(folder / "clip.mp4", 4)
        asked = ["a pencil drawing", str(folder / "out.png"), "--preview", "--size", "64"]
        for what, path in special_files(folder, clip):
            fine, row = refused([str(path), *asked])
            harm += not fine
            print(f"| {what} | {'' if fine else 'HARM '}{row.replace(str(folder), '')} |", flush=True)
        for what, path in model_folders(folder / "models"):
            fine, row = refused([str(clip), *asked, "--model", str(path), "--overwrite"])
            harm += not fine
            print(f"| {what} | {'' if fine else 'HARM '}{row.replace(str(folder), '')} |", flush=True)
    print(f"\n{harm} did harm (style-a-video {style_a_video.__version__})")
    sys.exit(bool(harm))


if __name__ == "__main__":
    main()
