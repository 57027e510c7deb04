"""Recordings that were joined from several: their clock jumps, and the jumps are taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av

LONGEST_GAP_S, LONGEST_STEP_BACK_S = Fraction(10), Fraction(1, 2)
"""More than this between neighbouring packets of a stream is a jump (FFmpeg's own limit is 10 s)."""
JOINABLE = frozenset({"mpegts", "mpeg", "flv", "live_flv", "ogg"})
"""Formats whose files may be laid end to end. In others a gap is a picture that stays."""


def without_jumps(
    packets: Iterable[Any], container: av.container.InputContainer, shifts: list[Fraction], learns: bool = False
) -> Iterator[Any]:
    """The packets, their time stamps shifted so that streams go on after a jump where they were.

    All streams of a file jump together, so one list of shifts holds for all, also where only some are read.

    Args:
        shifts: in seconds, of each stretch between jumps; the first is 0.
        learns: whether jumps that the list does not know are added to it; else they stay.
    """
    if not JOINABLE & set(container.format.name.split(",")):
        yield from packets
        return
    stretch: dict[int, int] = {}  # of each stream, by its index
    following: dict[int, Fraction] = {}  # when its next packet is due
    for packet in packets:
        if packet.dts is None or packet.time_base is None:
            yield packet
            continue
        stream = packet.stream.index
        number = stretch.get(stream, 0)
        seconds = packet.dts * packet.time_base + shifts[number]
        late = seconds - following.get(stream, seconds)
        if not -LONGEST_STEP_BACK_S <= late <= LONGEST_GAP_S:
            if number + 1 == len(shifts) and learns:
                shifts.append(shifts[number] - late)
            number = min(number + 1, len(shifts) - 1)
            stretch[stream] = number
            seconds = packet.dts * packet.time_base + shifts[number]
        following[stream] = seconds + (packet.duration or 0) * packet.time_base
        moved = round(shifts[number] / packet.time_base)
        packet.dts += moved
        packet.pts = None if packet.pts is None else packet.pts + moved
        yield packet
