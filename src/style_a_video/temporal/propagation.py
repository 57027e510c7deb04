"""Keyframe propagation (DESIGN 2.6): what a keyframe shows is carried along the flow to the frames around it, and to the next keyframe.

A picture warped from frame to frame is blurred a little every time. Here flows are composed instead of pictures, so that a frame is
sampled once from its keyframe; and what a warp takes from the depth of fine marks is given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .motion import Motion
from .warp import backward_warp, sampling_positions

DETAIL_WINDOW, DETAIL_STRIDE = 16, 4
"""Side of the windows, in pixels, over which the depth of fine marks is measured, and their distance."""
MOST_SHARPENING = 0.5
"""Of the high frequencies; more only makes rings."""
EXTREMES_WINDOW = 3
"""Side of the windows, in pixels, whose darkest and brightest value of each colour are the limits of sharpening."""
ALIKE, ALIKE_WINDOW = 0.02, 7
"""Two places look the same where their colours differ by less than this in the mean over a window of as many pixels' side."""
MOST_DEFORMATION, MOST_OF_KEYFRAMES, DEFORMATION_WINDOW = 0.33, 0.2, 9
"""Of the flow back: marks that are drawn out to half as long again are the style's no longer. From keyframe to keyframe it adds up, so less
is allowed there, and in the refiner from frame to frame. Measured in windows of as many pixels' side."""
STRUCTURE_WINDOW, STRUCTURE_STRIDE = 16, 4
"""Side of the windows, in pixels, in which two places are of one structure or not, and their distance."""
COARSE_WINDOW, COARSE_STRIDE = 64, 16
"""Side of the windows, in pixels, whose mean colour and contrast a keyframe takes from its own rendering; their distance."""
COARSE_PULL = 0.5
"""How far the mean colour is drawn there: a change of light is followed within a few keyframes, the model's own flicker halved."""
MOST_CONTRAST = 2.0
"""By which contrast is multiplied or divided there: what is flat has no marks to deepen."""
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@dataclass(frozen=True)
class Link:
    """Where another frame of the shot shows what this one shows: flow (1, 2, H, W) in pixels, x first, and mask (1, 1, H, W), 1
    where the flow is trusted."""

    flow: Tensor
    mask: Tensor

    def beyond(self, further: Link) -> Link:
        """To the frame that the other frame's link `further` leads to: F(p) + F'(p + F(p)), trusted where both are."""
        there = backward_warp(torch.cat([further.flow, further.mask], dim=1), self.flow)
        return Link(self.flow + there[:, :2], self.mask * (there[:, 2:] > 0.9))

    @classmethod
    def to_itself(cls, like: Tensor) -> Link:
        """From a frame of the size of `like` (1, 3, H, W) to itself."""
        nowhere = torch.zeros_like(like[:, :1])
        return cls(torch.cat([nowhere, nowhere], dim=1), nowhere + 1)


def links_to(place: int, frame: Tensor, motions: Sequence[Motion]) -> list[Link]:
    """From every frame of a run to `frame`, that at `place`; `motions[k]` leads from frame k to frame k + 1."""
    own = Link.to_itself(frame)
    after, before = [own], [own]
    for motion in motions[place:]:
        after.append(Link(motion.backward, motion.backward_mask).beyond(after[-1]))
    for motion in reversed(motions[:place]):
        before.append(Link(motion.forward, motion.forward_mask).beyond(before[-1]))
    return before[:0:-1] + after


class Way(NamedTuple):
    """From a frame to one that it takes from."""

    flow: Tensor
    """(1, 2, H, W) in pixels, x first."""
    trusted: Tensor
    """How far it may take from there, (1, 1, H, W) in [0, 1]."""


@dataclass(frozen=True)
class Reference:
    """A stylized frame of a run that others take from."""

    place: int
    frame: Tensor
    """The input, (1, 3, H, W) in [0, 1]."""
    picture: Tensor
    """Stylized, (1, 3, H, W) in [0, 1]."""
    marks: Tensor
    """Its `fine_marks`, (1, 7, H, W)."""
    ways: dict[int, Way]
    """From other places of the run to it."""

    @classmethod
    def at(
        cls, place: int, picture: Tensor, frames: Sequence[Tensor], motions: Sequence[Motion], takers: Iterable[int]
    ) -> Reference:
        """The frame at `place` of the run that has these input frames (1, 3, H, W) and motions, for those at the places `takers`."""
        links = links_to(place, frames[place], motions)
        ways = {}
        for taker in takers:
            flow, mask = links[taker].flow, links[taker].mask
            seen = torch.maximum(mask, alike(frames[taker], frames[place], flow))
            ways[taker] = Way(flow, softened(seen * (deformation(flow) < MOST_DEFORMATION)))
        return cls(place, frames[place], picture, fine_marks(picture), ways)


def alike(frame: Tensor, other: Tensor, flow: Tensor) -> Tensor:
    """1 where the input frame (1, 3, H, W) looks as the `other` does along the flow, (1, 1, H, W), else 0: where flow cannot be
    checked, as in a flat sky, whatever looks the same will do."""
    mismatch = (frame - backward_warp(other, flow)).abs().mean(dim=1, keepdim=True)
    x, y = sampling_positions(flow).unbind(dim=1)
    height, width = frame.shape[-2:]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return ((windowed(mismatch, ALIKE_WINDOW) < ALIKE) & inside[:, None]).to(frame.dtype)


def deformation(flow: Tensor) -> Tensor:
    """How much a flow (1, 2, H, W) stretches marks in one direction, or shears them, (1, 1, H, W), mean of a window: the difference of the
    principal strains of its Jacobian. 0 for shift, zoom and turn, which leave marks their shape.

    Flow that slides from what stands in front to what lies behind smears a flat sky, and yet leads back both ways.
    """
    across = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1, 0, 0))
    down = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    stretch, shear = across[:, :1] - down[:, 1:], across[:, 1:] + down[:, :1]
    return windowed(torch.cat([stretch, shear], dim=1), DEFORMATION_WINDOW).norm(dim=1, keepdim=True)


def same_structure(frame: Tensor, other: Tensor, flow: Tensor) -> Tensor:
    """1 where the shapes of the input frame (1, 3, H, W), whatever its light, are more like than unlike those of the `other` along the
    flow, (1, 1, H, W), else 0: the mean of (x − y)² below half that of x² + y², both grey and without their local means.

    In a dissolve every step from frame to frame is trusted, and yet nothing of the first picture is left at its end.
    """

    def shapes(picture: Tensor) -> Tensor:
        grey = picture.mean(dim=1, keepdim=True)
        return grey - spread(windowed(grey, STRUCTURE_WINDOW, STRUCTURE_STRIDE), STRUCTURE_STRIDE, grey)

    x, y = shapes(frame), shapes(backward_warp(other, flow))
    likeness = (x.square() + y.square()) / 2 + ALIKE**2 - (x - y).square()
    return (spread(windowed(likeness, STRUCTURE_WINDOW, STRUCTURE_STRIDE), STRUCTURE_STRIDE, x) > 0).to(frame.dtype)


def assembled(place: int, references: Sequence[Reference], light: Tensor, share: float = 0.0) -> tuple[Tensor, Tensor]:
    """The frame at `place` from the first of its references, what that does not show from the second, and so on: (picture
    (1, 3, H, W), missing (1, 1, H, W)).

    `missing` is 1 where none shows what the frame does, with soft borders; there the picture is a guess of the first ones. `light`
    (1, 3, H, W) is what the colour of this frame's pixels changes by from frame to frame. `share` of what both of the first two show is
    taken from the second, as marks as deep as the first's.
    """

    def seen(reference: Reference) -> Tensor:
        return carried(reference.picture, reference.marks, reference.ways[place].flow) + light * (
            place - reference.place
        )

    picture, missing = seen(references[0]), 1 - references[0].ways[place].trusted
    for number, reference in enumerate(references[1:]):
        trusted = reference.ways[place].trusted
        taken = missing * trusted
        passing = share if number == 0 else 0.0
        # The mean of both orders.
        weight = (1 - passing) * taken + passing * (1 - (1 - missing) * (1 - trusted))
        if weight.any():
            marks = fine_marks(picture) if passing else None
            picture = picture + weight * (seen(reference) - picture)
            # Where the two differ, their mean has fainter marks than either.
            picture = picture if marks is None else with_marks(picture, marks)
        missing = missing - taken
    return picture.clamp(0, 1), missing


def change_of_light(before: Reference, after: Reference) -> Tensor:
    """By what the colour of large windows changes from frame to frame between two keyframes, (1, 3, H, W) on the pixels of the later
    one: a step half-way, where the nearer one is another, would be seen."""
    other = backward_warp(before.picture, before.ways[after.place].flow)
    trusted = before.ways[after.place].trusted
    area = windowed(trusted, COARSE_WINDOW, COARSE_STRIDE).clamp(min=0.1)
    change = windowed((after.picture - other) * trusted, COARSE_WINDOW, COARSE_STRIDE) / area
    return spread(change, COARSE_STRIDE, other) / (after.place - before.place)


def carried(picture: Tensor, marks: Tensor, flow: Tensor) -> Tensor:
    """A stylized frame (1, 3, H, W) with its `fine_marks` (1, 7, H, W), as another one sees it along the flow, in [0, 1], its marks as deep."""
    return with_marks(*_moved(picture, marks, flow))


def _moved(picture: Tensor, marks: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Both along the flow: picture (1, 3, H, W) and `fine_marks` (1, 7, H, W)."""
    marks = backward_warp(marks, flow)
    warped = backward_warp(picture, flow, "bicubic")
    # Bicubic weights make rims of their own.
    return warped.clamp(marks[:, 1:4], marks[:, 4:]), marks


def next_keyframe(rendered: Tensor, frame: Tensor, before: Reference, place: int, intervals: float = 1.0) -> Tensor:
    """A shot's next keyframe: the marks of the one before, the colours of its own rendering, and all of that where nothing leads back, or
    to something else.

    Args:
        rendered: the keyframe as the model makes it of the input `frame`, both (1, 3, H, W) in [0, 1].
        before: the keyframe before it.
        place: of this one in its run.
        intervals: from the one before to this one; a shot's last keyframe may come sooner than the others.
    """
    flow, trusted = before.ways[place]
    trusted = trusted * softened(same_structure(frame, before.frame, flow) * (deformation(flow) < MOST_OF_KEYFRAMES))
    kept, _ = _moved(before.picture, before.marks, flow)
    # Light changes within a shot, and what is carried on and on must not drift.
    kept = with_marks(drawn_towards(kept, rendered, trusted, intervals), fine_marks(rendered))
    return (trusted * kept + (1 - trusted) * rendered).clamp(0, 1)


def guessed(frame: Tensor, picture: Tensor, missing: Tensor) -> Tensor:
    """The stylized picture (1, 3, H, W) with what is `missing` of it (1, 1, H, W) taken from the input frame (1, 3, H, W) itself, all in
    [0, 1], in the picture's colours: the affine map of RGB that fits best, in least squares, where nothing is missing.

    A warp leaves a second copy of what stands in front there, and the last steps alone would paint over it, not remove it.
    """
    known = 1 - missing
    # In float64: over the pixels of a large grey picture the sums are nearly of rank two.
    colours = torch.cat([frame, torch.ones_like(known)], dim=1).flatten(2)[0].double()  # (4, pixels)
    weighted = colours * known.flatten(2)[0]
    # A little of a pixel pulls towards the frame's own colours, where next to nothing is known.
    moments = weighted @ colours.T + torch.eye(4, device=frame.device, dtype=torch.float64)
    change = torch.linalg.solve(moments, weighted @ (picture - frame).flatten(2)[0].T.double())  # (4, 3)
    recoloured = frame + (change.T @ colours).view_as(frame).to(frame.dtype)
    return picture + missing * (recoloured.clamp(0, 1) - picture)


def softened(mask: Tensor, side: int = 9) -> Tensor:
    """A mask with a slope of a few pixels for an edge, nowhere above the mask: what is not trusted has no weight."""
    return mask * (2 * windowed(mask, side) - 1).clamp(min=0)


def windowed(values: Tensor, side: int, stride: int = 1) -> Tensor:
    """Mean over windows of side² pixels, those of them inside the picture: (B, C, H, W) -> (B, C, h, w), one window for every stride²
    pixels, centred on them; side and stride are both even or both odd."""
    margin = (side - stride) // 2
    rows = F.avg_pool2d(values, (side, 1), (stride, 1), (margin, 0), ceil_mode=True, count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), (1, stride), (0, margin), ceil_mode=True, count_include_pad=False)


def spread(values: Tensor, stride: int, like: Tensor) -> Tensor:
    """What was measured in windows, one for every stride² pixels, for every pixel of `like` again: (B, C, h, w) -> (B, C, H, W)."""
    height, width = like.shape[-2:]
    return F.interpolate(values, scale_factor=stride, mode="bilinear", align_corners=False)[..., :height, :width]


def drawn_towards(frames: Tensor, wanted: Tensor, mask: Tensor, intervals: float = 1.0) -> Tensor:
    """Frames (B, 3, H, W) with the mean colour of large windows drawn towards that of `wanted`, by COARSE_PULL, and their contrast made
    the same, within MOST_CONTRAST. (Half-way would not do: what every carrying loses would add up to the whole of one loss.)
    Over a part of an interval of keyframes a part of both: as much in all as over a whole one.

    Both are measured over the pixels of `mask` (B, 1, H, W) alone.
    """
    area = windowed(mask, COARSE_WINDOW, COARSE_STRIDE).clamp(min=1e-4)

    def statistics(values: Tensor) -> tuple[Tensor, Tensor]:
        mean = windowed(values * mask, COARSE_WINDOW, COARSE_STRIDE) / area
        variance = windowed(values.square() * mask, COARSE_WINDOW, COARSE_STRIDE) / area - mean.square()
        deviation = (variance.clamp(min=0) + 1e-4).sqrt()
        return spread(mean, COARSE_STRIDE, frames), spread(deviation, COARSE_STRIDE, frames)

    (mean, deviation), (wanted_mean, wanted_deviation) = statistics(frames), statistics(wanted)
    contrast = (wanted_deviation / deviation).clamp(1 / MOST_CONTRAST, MOST_CONTRAST)
    pull = 1 - (1 - COARSE_PULL) ** intervals
    return mean + pull * (wanted_mean - mean) + (frames - mean) * contrast**intervals


def detail_depth(frames: Tensor) -> Tensor:
    """Depth of fine marks: deviation of the grey frames' Laplacian in windows, (B, 3, H, W) -> (B, 1, H, W)."""
    grey = F.pad(frames.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    sides = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] + grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    squared = (sides - 4 * grey[..., 1:-1, 1:-1]).square()
    return spread((windowed(squared, DETAIL_WINDOW, DETAIL_STRIDE) + 1e-5).sqrt(), DETAIL_STRIDE, frames)


def fine_marks(frames: Tensor) -> Tensor:
    """What `with_marks` gives back: (B, 3, H, W) -> (B, 7, H, W), the depth of fine marks, and the darkest and the brightest value of
    each colour near by."""
    return torch.cat([detail_depth(frames), _darkest(frames), _brightest(frames)], dim=1)


def with_marks(frames: Tensor, marks: Tensor) -> Tensor:
    """Frames (B, 3, H, W), clamped to [0, 1], sharpened where their marks are less deep than those that `marks` (B, 7, H, W) tell of, and softened
    where they are deeper, by MOST_SHARPENING at most; nowhere darker or brighter than either has it near by, or the rims beside strong
    lines, as the lead in glass, would grow from keyframe to keyframe."""
    depth, darkest, brightest = marks.split([1, 3, 3], dim=1)
    fine = frames - blurred(frames)
    # What is added has a depth of its own, less than the frame's where marks are coarse.
    amount = ((depth - detail_depth(frames)) / detail_depth(fine)).clamp(-MOST_SHARPENING, MOST_SHARPENING)
    least, most = torch.minimum(darkest, _darkest(frames)), torch.maximum(brightest, _brightest(frames))
    return (frames + amount * fine).clamp(least, most).clamp(0, 1)


def _brightest(frames: Tensor) -> Tensor:
    return F.max_pool2d(frames, EXTREMES_WINDOW, stride=1, padding=EXTREMES_WINDOW // 2)


def _darkest(frames: Tensor) -> Tensor:
    return -_brightest(-frames)


def blurred(frames: Tensor) -> Tensor:
    """By the binomial 1, 4, 6, 4, 1 along both axes, (B, C, H, W)."""
    height, width = frames.shape[-2:]
    padded = F.pad(frames, (2, 2, 2, 2), mode="replicate")
    rows = torch.stack([weight * padded[..., k : k + height, :] for k, weight in enumerate(BINOMIAL)]).sum(0)
    return torch.stack([weight * rows[..., k : k + width] for k, weight in enumerate(BINOMIAL)]).sum(0)
