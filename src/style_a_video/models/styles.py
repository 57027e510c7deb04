"""The styles that the bundled model knows: their names, and the words, artists and movements that people call them by."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """One style of the bundled model."""

    name: str
    phrases: tuple[str, ...]
    """Noun phrases with their article, as they follow "Make it …": the first one is the style's canonical prompt."""
    keywords: tuple[str, ...]
    """Lower-case words, artists and movements that name the style in a prompt."""
    artists: tuple[str, ...] = ()
    """Artists and movements, as they follow "in the style of …"."""

    @property
    def prompt(self) -> str:
        """The prompt that asks for this style, e.g. "Make it an Ukiyo-e painting."."""
        return f"Make it {self.phrases[0]}."


STYLES: tuple[Style, ...] = (
    Style(
        "oil painting",
        ("an oil painting", "an impasto oil painting", "a classical oil painting", "a painting in oil on canvas",
         "a thick oil painting", "a painted canvas", "an old master painting", "an oil portrait", "a palette knife painting"),
        ("oil", "impasto", "painted canvas", "old master", "palette knife", "rembrandt", "velázquez", "velazquez", "vermeer", "titian", "kinkade"),
        ("Rembrandt", "Vermeer", "Velázquez", "Titian", "the old masters", "Thomas Kinkade"),
    ),
    Style(
        "van gogh",
        ("a Van Gogh painting", "a painting by Vincent van Gogh", "a post-impressionist painting with swirling strokes",
         "a starry night painting", "a Van Gogh", "an expressionist painting with swirls", "a swirling painting"),
        ("van gogh", "vangogh", "vincent", "starry night", "post-impressionist", "post-impressionism", "swirl", "swirling", "swirls"),
        ("Van Gogh", "Vincent van Gogh", "post-impressionism", "The Starry Night"),
    ),
    Style(
        "impressionism",
        ("an impressionist painting", "a Monet painting", "a painting by Claude Monet", "an impressionist landscape",
         "a painting of short dabs of colour", "a plein air painting", "a Renoir painting", "an impressionist picture"),
        ("impressionist", "impressionism", "monet", "renoir", "pissarro", "sisley", "plein air", "dabs", "water lilies"),
        ("Claude Monet", "Renoir", "Pissarro", "the impressionists", "impressionism", "Monet"),
    ),
    Style(
        "pointillism",
        ("a pointillist painting", "a Seurat painting", "a painting made of dots", "a painting by Georges Seurat",
         "a pointillism artwork", "a neo-impressionist painting", "a dotted painting", "a divisionist painting"),
        ("pointillist", "pointillism", "seurat", "signac", "divisionist", "divisionism", "neo-impressionist",
         "dots of colour", "dotted", "made of dots"),
        ("Georges Seurat", "Paul Signac", "pointillism", "Seurat", "neo-impressionism"),
    ),
    Style(
        "watercolor",
        ("a watercolor painting", "a watercolour", "a watercolor", "a loose watercolor sketch", "an aquarelle",
         "a watercolour painting on rough paper", "a wet-on-wet watercolor", "a pen and wash watercolor", "a watercolor wash"),
        ("watercolor", "watercolour", "aquarelle", "wet-on-wet", "wet on wet", "sargent", "turner", "wash drawing"),
        ("Turner", "John Singer Sargent", "watercolor artists"),
    ),
    Style(
        "ink wash",
        ("a sumi-e ink painting", "an ink wash painting", "a Chinese ink painting", "a sumi-e", "a Japanese ink drawing",
         "a brush and ink painting", "a Chinese brush painting", "an ink painting on rice paper"),
        ("sumi-e", "sumie", "sumi", "ink wash", "ink painting", "chinese ink", "brush and ink", "rice paper",
         "shan shui", "sesshu", "ink and brush", "ink drawing", "chinese brush", "qi baishi"),
        ("Sesshu", "Qi Baishi", "sumi-e", "Chinese ink painting", "shan shui"),
    ),
    Style(
        "ukiyo-e",
        ("an Ukiyo-e painting", "a Japanese woodblock print", "an ukiyo-e print", "a woodblock print", "a Hokusai print",
         "a Hiroshige landscape", "a Japanese print", "a woodcut by Hokusai", "an Edo period print"),
        ("ukiyo", "ukiyo-e", "woodblock", "hokusai", "hiroshige", "utamaro", "edo", "japanese print", "great wave", "woodcut"),
        ("Hokusai", "Hiroshige", "Utamaro", "ukiyo-e", "Japanese woodblock prints", "The Great Wave"),
    ),
    Style(
        "pencil",
        ("a pencil drawing", "a pencil sketch", "a graphite drawing", "a sketch in pencil", "a hand-drawn sketch",
         "a drawing in pencil on white paper", "a graphite sketch", "a sketchbook page"),
        ("pencil", "graphite", "sketch", "sketchbook", "hand-drawn", "leonardo", "ingres"),
        ("Leonardo da Vinci's drawings", "Ingres", "pencil sketches"),
    ),
    Style(
        "charcoal",
        ("a charcoal drawing", "a drawing in charcoal", "a charcoal sketch", "a smudged charcoal portrait",
         "a charcoal picture on grey paper", "a dark charcoal study", "a drawing with burnt sticks of charcoal"),
        ("charcoal", "smudged", "conté", "conte", "kollwitz"),
        ("Käthe Kollwitz", "charcoal studies"),
    ),
    Style(
        "engraving",
        ("an engraving", "an etching", "a copperplate engraving", "an old book engraving", "a cross-hatched ink drawing",
         "a steel engraving", "a hatched pen drawing", "a banknote engraving", "a line engraving"),
        ("engraving", "engraved", "etching", "etched", "copperplate", "cross-hatch", "cross-hatched", "cross-hatching", "hatched", "hatching",
         "banknote", "dürer", "durer", "doré", "dore", "piranesi"),
        ("Albrecht Dürer", "Gustave Doré", "Piranesi", "old engravings"),
    ),
    Style(
        "pop art",
        ("a pop art print", "a pop art poster", "a halftone print", "a Warhol screen print", "a Roy Lichtenstein painting",
         "a screen print with halftone dots", "a silkscreen poster", "a pop art picture"),
        ("pop art", "pop-art", "halftone", "warhol", "lichtenstein", "screen print", "screenprint", "silkscreen", "ben-day", "benday"),
        ("Andy Warhol", "Roy Lichtenstein", "pop art", "Warhol"),
    ),
    Style(
        "comic",
        ("a comic book drawing", "a comic", "a graphic novel panel", "a cartoon", "a cel-shaded anime frame",
         "an inked comic panel", "an anime picture", "a cel-shaded cartoon", "a manga in colour"),
        ("comic", "comics", "graphic novel", "cartoon", "cel-shaded", "cel shaded", "anime", "manga", "kirby", "moebius", "hergé", "inked"),
        ("Jack Kirby", "Moebius", "Hergé", "comic books", "anime"),
    ),
    Style(
        "stained glass",
        ("a stained glass window", "a stained-glass picture", "a cathedral window", "a leaded glass window",
         "a church window of coloured glass", "a Tiffany glass panel", "a stained glass panel"),
        ("stained glass", "stained-glass", "cathedral window", "church window", "leaded", "tiffany", "coloured glass", "colored glass", "chagall"),
        ("Tiffany", "Gothic stained glass", "Chagall's windows"),
    ),
    Style(
        "mosaic",
        ("a mosaic", "a Roman mosaic", "a Byzantine mosaic", "a mosaic of small tiles", "a tile mosaic",
         "a mosaic made of stones", "a tesserae mosaic", "a floor mosaic"),
        ("mosaic", "tesserae", "tiles", "tiled", "byzantine", "gaudí", "gaudi", "ravenna"),
        ("Gaudí", "Roman mosaics", "the mosaics of Ravenna"),
    ),
    Style(
        "pixel art",
        ("pixel art", "an 8-bit game", "a pixel art picture", "a retro video game", "a 16-bit game screen",
         "an old console game", "a pixelated picture", "a sprite from an arcade game"),
        ("pixel", "pixels", "pixelated", "pixel-art", "8-bit", "16-bit", "8 bit", "16 bit", "video game", "arcade",
         "console game", "sprite", "retro game"),
        ("8-bit games", "arcade games", "pixel art"),
    ),
    Style(
        "paper cut",
        ("a paper cut-out", "a layered paper cut-out", "a paper collage", "a papercut picture", "a cut paper illustration",
         "a picture of layered coloured paper", "a paper craft scene", "a Matisse cut-out"),
        ("paper cut", "papercut", "cut-out", "cutout", "cut out", "cut paper", "paper collage", "collage", "layered paper", "coloured paper",
         "paper craft", "papercraft", "paper cutting", "matisse", "reiniger"),
        ("Matisse's cut-outs", "paper cutting", "Lotte Reiniger"),
    ),
    Style(
        "neon",
        ("a neon sign", "a glowing neon picture", "neon light art", "a neon outline drawing", "a synthwave picture",
         "a cyberpunk neon scene", "a picture of glowing tubes", "neon lights in the dark"),
        ("neon", "glowing", "synthwave", "cyberpunk", "tron", "vaporwave", "glow"),
        ("Tron", "synthwave", "cyberpunk"),
    ),
    Style(
        "cyanotype",
        ("a cyanotype", "a blueprint", "a cyanotype print", "a Prussian blue photograph", "an old blue print",
         "a blue monochrome print", "an architect's blueprint", "a sun print"),
        ("cyanotype", "blueprint", "prussian blue", "sun print", "blue print", "blue monochrome", "atkins"),
        ("Anna Atkins", "cyanotypes", "blueprints"),
    ),
)  # fmt: skip

STYLE_NAMES = tuple(style.name for style in STYLES)


def named_styles(prompt: str) -> list[Style]:
    """The styles that a prompt names, best match (longest keyword) first; empty when it names none.

    >>> [style.name for style in named_styles("Make it a Japanese woodblock print.")]
    ['ukiyo-e']
    """
    text = prompt.lower()
    scored = []
    for style in STYLES:
        hits = [word for word in (*style.keywords, style.name) if re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", text)]
        if hits:
            scored.append((max(map(len, hits)), style))
    return [style for _, style in sorted(scored, key=lambda pair: -pair[0])]
