"""A style in parts: its medium, and palette, tone, scale of marks, lines, surface and second medium that modify it.

The renderers take these as parameters, captions put them into words, and prompts are checked against those words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StyleSpec:
    """A medium and what modifies it. An empty field leaves what is usual in the medium."""

    medium: str
    palette: str = ""
    tone: str = ""
    scale: str = ""
    line: str = ""
    surface: str = ""
    second: str = ""
    """A second medium, mixed in by half."""


@dataclass(frozen=True)
class Palette:
    """Colours as hexadecimal codes, dark to light, and how people say them, as they follow a comma."""

    colours: tuple[str, ...]
    phrases: tuple[str, ...]
    held_out: str
    """A way of saying it that training never sees."""


PALETTES: dict[str, Palette] = {
    "teal and gold": Palette(
        ("06282e", "0f5c63", "4f9a94", "d9a441", "f6e2a4"),
        ("in teal and gold", "with a teal and gold palette", "teal and gold"),
        "using teal and gold",
    ),
    "sepia": Palette(
        ("22150c", "5a3b22", "9a7048", "cfae82", "f3e4c6"),
        ("in sepia", "in sepia tones", "with sepia colours"),
        "using sepia",
    ),
    "pastel": Palette(
        ("8f84a8", "b9a3c9", "f0b8c4", "bfe0d4", "fff1d6"),
        ("in pastel colours", "with a pastel palette", "in soft pastel shades"),
        "using pastel colours",
    ),
    "night blue": Palette(
        ("04081c", "0c1c48", "21418a", "5a80c0", "c9dbf2"),
        ("in night blue", "with a night blue palette", "in deep night blues"),
        "using night blue",
    ),
    "black and white": Palette(
        ("050505", "3c3c3c", "858585", "c6c6c6", "fafafa"),
        ("in black and white", "in greys only", "black and white"),
        "using black and white",
    ),
    "earth": Palette(
        ("1f150e", "5b3a24", "94663a", "b99a66", "e6d7b4"),
        ("in earth colours", "with earthy colours", "in earth tones"),
        "using earth tones",
    ),
    "autumn": Palette(
        ("2a120c", "7a2d14", "c4571b", "e39a2d", "f7dd96"),
        ("in autumn colours", "with an autumn palette", "in the colours of autumn"),
        "using autumn colours",
    ),
    "rose": Palette(
        ("3b0f24", "8a2f55", "cf6a8d", "eea9b8", "fdeaea"),
        ("in rose pink", "with a pink palette", "in shades of pink"),
        "using rose pink",
    ),
    "forest green": Palette(
        ("07180f", "17432a", "3f7a48", "8fb36f", "e6efc4"),
        ("in forest green", "with a green palette", "in forest greens"),
        "using forest green",
    ),
    "crimson and black": Palette(
        ("060304", "3a070c", "8f0f1a", "d42b2f", "f7c9b4"),
        ("in crimson and black", "with a crimson and black palette", "crimson and black"),
        "using crimson and black",
    ),
    "lavender": Palette(
        ("231a3d", "584a86", "9382bd", "c7b8e2", "f3edfb"),
        ("in lavender", "with a lavender palette", "in lavender shades"),
        "using lavender",
    ),
    "sunset orange": Palette(
        ("2b0d2f", "7e1f4d", "d9483b", "f79a3b", "ffe6a0"),
        ("in sunset orange", "with the colours of a sunset", "in sunset colours"),
        "using sunset orange",
    ),
    "ice blue": Palette(
        ("1b3a4d", "4f87a5", "93c3d6", "c8e6ee", "f6fdff"),
        ("in ice blue", "with icy blues", "in an ice blue palette"),
        "using ice blue",
    ),
    "turquoise and coral": Palette(
        ("0c3840", "158c92", "5fd0c5", "f4846b", "fde3cf"),
        ("in turquoise and coral", "with a turquoise and coral palette", "turquoise and coral"),
        "using turquoise and coral",
    ),
    "purple and yellow": Palette(
        ("1d0b38", "55249a", "9a66d0", "f2c531", "fff3a8"),
        ("in purple and yellow", "with a purple and yellow palette", "purple and yellow"),
        "using purple and yellow",
    ),
    "emerald": Palette(
        ("02211c", "03614d", "12a378", "71d8ac", "e0fbea"),
        ("in emerald", "with an emerald palette", "in emerald shades"),
        "using emerald",
    ),
    "copper": Palette(
        ("1d0e0a", "6b2f1c", "b5623a", "dc9b71", "f8decb"),
        ("in copper", "with a copper palette", "in copper tones"),
        "using copper",
    ),
    "candy": Palette(
        ("4b1a8c", "e0218a", "ff7ab8", "4fe0e6", "fff36b"),
        ("in candy colours", "with a candy palette", "in bright candy colours"),
        "using candy colours",
    ),
    "red and cream": Palette(
        ("3a0a0a", "8c1c1a", "cc3b31", "eeb796", "fbf1dc"),
        ("in red and cream", "with a red and cream palette", "red and cream"),
        "using red and cream",
    ),
    "mint and peach": Palette(
        ("2f5a52", "74b39c", "b7e2cd", "fbc4a4", "fff0e0"),
        ("in mint and peach", "with a mint and peach palette", "mint and peach"),
        "using mint and peach",
    ),
    "olive": Palette(
        ("17170a", "454519", "7f7d34", "b5b06a", "ecebc8"),
        ("in olive", "with an olive palette", "in olive shades"),
        "using olive",
    ),
    "desert sand": Palette(
        ("4a2a18", "9c6238", "d19a5f", "e9c797", "fbf0d8"),
        ("in desert sand", "with sandy colours", "in the colours of the desert"),
        "using desert sand",
    ),
    "ocean": Palette(
        ("021a2e", "05486b", "0a87a6", "5cc6cb", "e2f8ef"),
        ("in ocean colours", "with an ocean palette", "in the colours of the sea"),
        "using ocean colours",
    ),
    "magenta and cyan": Palette(
        ("120433", "6a0f8e", "e01fa0", "21c7ea", "d8fbff"),
        ("in magenta and cyan", "with a magenta and cyan palette", "magenta and cyan"),
        "using magenta and cyan",
    ),
}

TONES: dict[str, tuple[str, ...]] = {
    "dark": ("dark", "gloomy"),
    "pale": ("pale", "faint"),
    "vivid": ("vivid", "colourful", "vibrant"),
    "muted": ("muted", "subdued"),
    "warm": ("warm", "sunlit"),
    "cool": ("cool", "cold"),
    "misty": ("misty", "foggy", "hazy"),
}
"""Tone and mood: adjectives, as they stand before the medium."""

SCALES: dict[str, tuple[float, tuple[str, ...]]] = {
    "fine": (0.65, ("fine", "tiny", "delicate")),
    "bold": (1.6, ("bold", "large", "big")),
    "huge": (2.3, ("huge", "enormous", "giant")),
}
"""How many times the usual size the marks are, and the adjectives said of them: "with huge dots"."""

LINES: dict[str, tuple[float, tuple[str, ...]]] = {
    "none": (0.0, ("without outlines", "with no lines", "without any lines")),
    "thin": (0.6, ("with thin lines", "with fine outlines", "with thin outlines")),
    "heavy": (1.8, ("with heavy outlines", "with thick lines", "with bold black outlines")),
}
"""How many times the usual breadth the lines are."""

SURFACES: dict[str, tuple[str, ...]] = {
    "rough paper": ("on rough paper", "on textured paper"),
    "canvas": ("on canvas", "on coarse canvas"),
    "rice paper": ("on rice paper", "on fibrous rice paper"),
    "wall": ("on a wall", "on an old plaster wall"),
}
