"""Clips of four known colours that differ in one or two kinds; what `input_matrix.py` makes.

Not a program of its own. The YUV codes come from the standards' formulas in NumPy, so no scaler checks itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

FRAMES, RATE = 20, Fraction(25)
COLOURS = np.array([[200, 60, 40], [40, 160, 90], [60, 70, 190], [180, 180, 180]], float)
"""Of the patches, row by row: sRGB codes below the shoulder of tone mapping."""
LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""(Kr, Kb) by matrix (ITU-T H.273): BT.709, BT.601, BT.2020."""
TO_BT2020 = np.array([[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362], [0.016391, 0.088013, 0.895595]])
"""Linear BT.709 RGB to BT.2020 (ITU-R BT.2087)."""
UNTAGGED = ("mpeg4", "libvpx", "huffyuv", "wmv2", "flv", "mjpeg", "mpeg2video")
"""Codecs whose colours are BT.601 in small pictures, since nothing says otherwise or this encoder does not."""
SIZE = {"SD": (128, 96), "HD": (1280, 720)}


@dataclass(frozen=True)
class Case:
    """A clip by what it differs in."""

    format: str = "mp4 libx264"
    pixels: str = "yuv420p"
    colour: str = "tv 709"
    orientation: str = "upright"
    rate: str = "constant"
    sound: str = "aac stereo"
    fault: str = "none"


KINDS: dict[str, tuple[str, ...]] = {
    "format": (
        "mp4 libx264", "mp4 libx265", "mp4 libsvtav1", "mov prores_ks", "mov mjpeg", "mov png", "mkv ffv1",
        "mkv libx264", "webm libvpx-vp9", "webm libvpx", "avi mpeg4", "avi mjpeg", "ts libx264", "ts mpeg2video",
        "mpg mpeg2video", "flv flv", "nut huffyuv", "wmv wmv2", "3gp mpeg4", "mxf mpeg2video",
    ),
    "pixels": (
        "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le", "gray", "gbrp", "gbrp10le",
    ),
    "colour": ("tv 709", "pc 709", "tv 601", "pc 601", "tv 2020", "untagged SD", "untagged HD", "PQ", "HLG"),
    "orientation": ("upright", "90°", "180°", "270°", "mirrored"),
    "rate": ("constant", "30000/1001", "variable", "starts at 10 s", "long last frame"),
    "sound": ("none", "aac stereo", "pcm mono", "pcm stereo", "ac3 5.1(side)", "flac 5.1", "two languages"),
    "fault": ("none", "a damaged picture", "cut at 80 %", "sound steps back"),
}  # fmt: skip
ENCODER = {"ac3": "ac3", "flac": "flac", "pcm": "pcm_s16le", "aac": "aac"}
QUALITY = {
    "libx264": {"crf": "4"}, "libx265": {"crf": "4", "x265-params": "log-level=none"},
    "libsvtav1": {"crf": "8", "svtav1-params": "fast-decode=0"}, "libvpx-vp9": {"crf": "4", "b": "0"},
    "libvpx": {"b": "8M", "crf": "4"}, "mpeg4": {"q": "2"}, "mjpeg": {"q": "2"}, "mpeg2video": {"q": "2"},
    "flv": {"q": "2"}, "wmv2": {"q": "2"}, "prores_ks": {"profile": "3"},
}  # fmt: skip


def cases(pairs: int) -> list[Case]:
    """Every kind by itself, then random pairs of kinds; no case twice."""
    rng = np.random.default_rng(0)
    found = [replace(Case(), **{name: kind}) for name, kinds in KINDS.items() for kind in kinds]
    found += [replace(Case("mkv ffv1"), pixels=kind) for kind in KINDS["pixels"]]
    names = list(KINDS)
    for _ in range(pairs):
        two = rng.choice(len(names), 2, replace=False)
        chosen = {names[k]: str(rng.choice(KINDS[names[k]])) for k in two}
        found.append(replace(Case(), **chosen))
    return [case for case in dict.fromkeys(found) if can_be(case)]


def can_be(case: Case) -> bool:
    """Whether such files exist: not every codec has every pixel format, nor every container every sound."""
    container, codec = case.format.split()
    if codec not in av.codecs_available:
        return False
    known = {form.name for form in av.Codec(codec, "w").video_formats or []} or {"yuv420p", "yuv420p10le"}
    if codec in UNTAGGED and case.colour != Case().colour:
        return False
    deep = case.colour in ("PQ", "HLG", "tv 2020")
    if deep and codec not in ("libx264", "libx265", "ffv1", "libvpx-vp9", "libsvtav1", "prores_ks"):
        return False
    if container == "mxf":
        case = replace(case, sound="none")
    if case.pixels.startswith("g") and (case.colour != "tv 709" or codec not in ("ffv1", "libx264", "png")):
        return False
    if pixel_format(case) not in known and not case.pixels.startswith("yuvj"):
        return False
    if case.orientation != "upright" and container not in ("mp4", "mov"):
        return False
    if container in ("avi", "mpg", "ts", "flv", "3gp", "mxf", "wmv") and case.rate in ("variable", "long last frame"):
        return False
    if container in ("mxf", "mpg", "3gp", "nut", "avi", "wmv", "webm") and case.rate == "starts at 10 s":
        return False
    if container == "mxf" and case.rate != "constant":
        return False
    if case.fault == "sound steps back" and (
        case.rate in ("variable", "long last frame") or case.orientation != "upright" or case.sound == "none"
    ):
        return False
    if case.sound == "flac 5.1" and container == "mov":
        return False
    if container in ("mpg", "ts", "flv", "3gp", "webm", "wmv", "avi") and case.sound not in ("none", "aac stereo"):
        return False
    return not (case.fault == "a damaged picture" and codec not in ("mjpeg", "png", "prores_ks", "huffyuv"))


def pixel_format(case: Case) -> str:
    """The pixel format: what its codec has nearest to the default, unless the case asks for one."""
    codec = case.format.split()[1]
    if case.pixels != Case().pixels:
        return case.pixels
    if case.colour in ("PQ", "HLG", "tv 2020") and codec != "prores_ks":
        return "yuv420p10le"
    return {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p", "png": "rgb24", "huffyuv": "yuv422p"}.get(codec, "yuv420p")


def size_of(case: Case) -> tuple[int, int]:
    return SIZE["HD" if case.colour in ("untagged HD", "PQ", "HLG") else "SD"]


def colours_of(case: Case) -> NDArray[np.float64]:
    """The colours that must be seen: grey has no hue."""
    if case.pixels == "gray":
        return np.repeat(COLOURS @ [0.2126, 0.7152, 0.0722], 3).reshape(4, 3)
    return COLOURS


def codes(case: Case) -> tuple[NDArray[np.float64], int, int, int]:
    """R'G'B' in [0, 1] by the case's transfer and primaries; matrix, transfer and primaries (ITU-T H.273)."""
    if case.colour in ("PQ", "HLG"):
        nits = 203 * (COLOURS / 255) ** 2.4 @ TO_BT2020.T
        if case.colour == "PQ":
            power = (nits / 10_000) ** 0.1593017578125
            return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375, 9, 16, 9
        scene = (nits / 1000) ** (1 / 1.2)
        log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log), 9, 18, 9
    if case.colour == "tv 2020":
        return ((COLOURS / 255) ** 2.4 @ TO_BT2020.T) ** (1 / 2.4), 9, 1, 9
    is_601 = case.colour.endswith(("601", "SD")) or case.format.split()[1] in UNTAGGED
    return COLOURS / 255, 5 if is_601 else 1, 1, 1


def picture(case: Case, name: str) -> av.VideoFrame:
    """The patches as planes of a pixel format."""
    width, height = size_of(case)
    grid = np.repeat(np.repeat(np.arange(4).reshape(2, 2), height // 2, 0), width // 2, 1)
    rgb, matrix, _, _ = codes(case)
    frame = av.VideoFrame(width, height, name)
    full = case.colour.startswith("pc") or name.startswith("yuvj")
    bits = frame.format.components[0].bits
    if name == "rgb24" or name.startswith("gbrp"):
        levels = np.rint(rgb * (2**bits - 1))
        if name == "rgb24":
            return av.VideoFrame.from_ndarray(levels[grid].astype(np.uint8), "rgb24")
        planes = [levels[grid][..., channel] for channel in (1, 2, 0)]
    else:
        red, blue = LUMA[matrix]
        luma = rgb @ [red, 1 - red - blue, blue]
        difference = np.stack([(rgb[:, 2] - luma) / (2 - 2 * blue), (rgb[:, 0] - luma) / (2 - 2 * red)])
        unit = 2.0 ** (bits - 8)
        if full:
            levels = np.stack([luma * (2**bits - 1), *(difference * (2**bits - 1) + 128 * unit)])
        else:
            levels = np.stack([(16 + 219 * luma) * unit, *((128 + 224 * difference) * unit)])
        planes = [np.rint(level)[grid] for level in levels]
    for plane, values in zip(frame.planes, planes, strict=False):
        rows = values[:: height // plane.height, :: width // plane.width]
        kind = np.uint16 if bits > 8 else np.uint8
        lines = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
        lines[:, : plane.width] = rows
        plane.update(lines.tobytes())
    return frame


@dataclass
class Truth:
    """What a clip was made of."""

    stamps_s: list[float]
    length_s: float
    layouts: list[str] = field(default_factory=list)


def stamps(case: Case, base: Fraction) -> tuple[list[int], int]:
    """Presentation times, and how long the last frame stays, in units of `base`."""
    rate = Fraction(30000, 1001) if case.rate == "30000/1001" else RATE
    step = 1 / rate / base
    times = [round(k * step) for k in range(FRAMES)]
    if case.rate == "variable":
        times = [round(k * step + 7 * step * (k // 5) + (k % 3) * step / 4) for k in range(FRAMES)]
    if case.rate == "starts at 10 s":
        times = [time + round(10 / base) for time in times]
    return times, round(5 * step) if case.rate == "long last frame" else round(step)


def make(case: Case, path: Path) -> Truth:
    """Write a clip."""
    container_name, codec = case.format.split()
    name = pixel_format(case)
    _, matrix, transfer, primaries = codes(case)
    rate = Fraction(30000, 1001) if case.rate == "30000/1001" else RATE
    with av.open(str(path), "w") as container:
        base = Fraction(1, 30000) if container_name in ("mp4", "mov", "mkv", "webm", "nut") else 1 / rate
        # In MP4 the frame decoded last says how long the track is, so it must be the one shown last.
        options = {"bf": "0"} if case.rate in ("variable", "long last frame") else {}
        stream: Any = container.add_stream(codec, rate=rate, options=QUALITY.get(codec, {}) | options)
        stream.width, stream.height, stream.pix_fmt = *size_of(case), name
        stream.time_base = stream.codec_context.time_base = base
        context = stream.codec_context
        if not case.colour.startswith("untagged"):
            context.colorspace = 0 if name == "rgb24" or name.startswith("gbrp") else matrix
            context.color_trc, context.color_primaries = transfer, primaries
        context.color_range = 2 if case.colour.startswith("pc") or name.startswith("yuvj") else 1
        if case.orientation == "mirrored":
            stream.set_display_rotation(0, hflip=True)
        elif case.orientation != "upright":
            stream.set_display_rotation(int(case.orientation[:-1]))
        tracks = [add_sound(container, case, number) for number in range(sounds_of(case))]
        times, last = stamps(case, base)
        packets: list[Any] = []
        for time in times:
            frame = picture(case, name)
            if not case.colour.startswith("untagged"):
                frame.colorspace = context.colorspace
            frame.pts, frame.time_base = time, base
            packets += stream.encode(frame)
        packets += stream.encode(None)
        following = dict(zip(times, [*times[1:], times[-1] + last], strict=True))
        for packet in packets:  # which encoders do not say
            packet.duration = following[packet.pts] - packet.pts
        length = float((times[-1] + last - times[0]) * base)
        for track in tracks:
            packets += tone(track, length, float(times[0] * base))
        packets = [packet for packet in packets if packet.dts is not None]
        for packet in sorted(packets, key=lambda packet: float(packet.dts * packet.time_base)):
            container.mux(packet)
    layouts = [track.codec_context.layout.name for track in tracks]
    return Truth([float((time - times[0]) * base) for time in times], length, layouts)


def sounds_of(case: Case) -> int:
    return 0 if case.format.startswith("mxf") else {"none": 0, "two languages": 2}.get(case.sound, 1)


def add_sound(container: Any, case: Case, number: int) -> Any:
    kind, _, layout = ("aac stereo" if case.sound == "two languages" else case.sound).partition(" ")
    suffix = case.format.split()[0]
    codec = {"webm": "libopus", "mpg": "mp2", "flv": "libmp3lame", "wmv": "libmp3lame", "avi": "pcm_s16le"}.get(
        suffix, ENCODER[kind]
    )
    track = container.add_stream(codec, rate=48000, layout=layout)
    if case.sound == "two languages":
        track.metadata["language"] = ("deu", "fra")[number]
    return track


def tone(track: Any, seconds: float, start_s: float) -> list[Any]:
    """The packets of a tone."""
    count = round(48000 * seconds)
    wave = (8000 * np.sin(np.arange(count) * 0.05)).astype(np.int16)
    channels = track.codec_context.layout.nb_channels
    sound = av.AudioFrame.from_ndarray(np.repeat(wave, channels).reshape(1, -1), "s16", track.codec_context.layout)
    sound.sample_rate, sound.pts, sound.time_base = 48000, 0, Fraction(1, 48000)
    context = track.codec_context
    resampler = av.AudioResampler(context.format, context.layout, 48000, frame_size=context.frame_size or 1024)
    packets = []
    for piece in [*resampler.resample(sound), *resampler.resample(None), None]:
        if piece is not None:
            piece.pts = (piece.pts or 0) + round(48000 * start_s)
        packets += track.encode(piece)
    return packets


def harmed(case: Case, path: Path) -> None:
    """Apply the case's fault to the file."""
    data = bytearray(path.read_bytes())
    if case.fault == "a damaged picture":
        with av.open(str(path)) as container:
            packet = [packet for packet in container.demux(video=0) if packet.size][7]
        assert packet.pos is not None
        data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    elif case.fault == "cut at 80 %":
        del data[len(data) * 4 // 5 :]
    elif case.fault == "sound steps back":
        remux_stepping_back(path)
        return
    path.write_bytes(data)


def remux_stepping_back(path: Path) -> None:
    """Write the file again, with the second half of its sound 60 ms early: in FLV, which takes any clock."""
    whole = path.with_name(f"whole{path.suffix}")
    path.rename(whole)
    with av.open(str(whole)) as source, av.open(str(path), "w", format="nut") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == "audio" and packet.pts * packet.time_base > 0.4:
                packet.pts -= round(0.06 / packet.time_base)
                packet.dts = packet.pts
            packet.stream = streams[packet.stream.index]
            try:
                target.mux(packet)
            except FFmpegError:
                continue
    whole.unlink()
