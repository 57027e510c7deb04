"""The media that the bundled model knows: their names, and the words, artists and movements that name them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """One style of the bundled model."""

    name: str
    phrases: tuple[str, ...]
    """Noun phrases with their article, as they follow "Make it …". The first is the canonical prompt."""
    keywords: tuple[str, ...]
    """Lower-case words, artists and movements that name the style in a prompt."""
    artists: tuple[str, ...] = ()
    """Artists and movements, as they follow "in the style of …"."""
    held_out: tuple[str, ...] = ()
    """Noun phrases that training never sees: what a person might say instead."""
    mark: str = "strokes"
    """What "fine", "bold" and "huge" are said of."""

    @property
    def prompt(self) -> str:
        """The prompt that asks for this style, e.g. "Make it an Ukiyo-e painting."."""
        return f"Make it {self.phrases[0]}."


STYLES: tuple[Style, ...] = (
    Style(
        "oil painting",
        ("an oil painting", "an impasto oil painting", "a classical oil painting", "a painting in oil on canvas",
         "a thick oil painting", "a painted canvas", "an old master painting", "an oil portrait",
         "a palette knife painting"),
        ("oil", "impasto", "painted canvas", "old master", "palette knife", "rembrandt", "velázquez", "velazquez",
         "vermeer", "titian"),
        ("Rembrandt", "Vermeer", "Velázquez", "Titian", "the old masters"),
        held_out=("a canvas thick with oil paint", "an oil on canvas"),
    ),
    Style(
        "van gogh",
        ("a Van Gogh painting", "a painting by Vincent van Gogh", "a post-impressionist painting with swirling strokes",
         "a starry night painting", "a Van Gogh", "an expressionist painting with swirls", "a swirling painting"),
        ("van gogh", "vangogh", "vincent", "starry night", "post-impressionist", "post-impressionism", "swirl",
         "swirling", "swirls"),
        ("Van Gogh", "Vincent van Gogh", "post-impressionism", "The Starry Night"),
        held_out=("a night sky by Van Gogh", "a Vincent painting with swirls"),
    ),
    Style(
        "impressionism",
        ("an impressionist painting", "a Monet painting", "a painting by Claude Monet", "an impressionist landscape",
         "a painting of short dabs of colour", "a plein air painting", "a Renoir painting", "an impressionist picture"),
        ("impressionist", "impressionism", "monet", "renoir", "pissarro", "sisley", "plein air", "dabs",
         "water lilies"),
        ("Claude Monet", "Renoir", "Pissarro", "the impressionists", "impressionism", "Monet"),
        held_out=("a garden by Monet", "an impressionist painting of light"),
        mark="dabs",
    ),
    Style(
        "pointillism",
        ("a pointillist painting", "a Seurat painting", "a painting made of dots", "a painting by Georges Seurat",
         "a pointillism artwork", "a neo-impressionist painting", "a dotted painting", "a divisionist painting"),
        ("pointillist", "pointillism", "seurat", "signac", "divisionist", "divisionism", "neo-impressionist",
         "neo-impressionism",
         "dots of colour", "dotted", "made of dots"),
        ("Georges Seurat", "Paul Signac", "pointillism", "Seurat", "neo-impressionism"),
        held_out=("a Seurat made of dots of colour", "a divisionist picture"),
        mark="dots",
    ),
    Style(
        "watercolor",
        ("a watercolor painting", "a watercolour", "a watercolor", "a loose watercolor sketch", "an aquarelle",
         "a watercolour painting on rough paper", "a wet-on-wet watercolor", "a pen and wash watercolor",
         "a watercolor wash"),
        ("watercolor", "watercolour", "aquarelle", "wet-on-wet", "wet on wet", "sargent", "turner", "wash drawing"),
        ("Turner", "John Singer Sargent", "watercolor artists"),
        held_out=("a watercolor sketch on wet paper", "a light aquarelle painting"),
        mark="washes",
    ),
    Style(
        "ink wash",
        ("a sumi-e ink painting", "an ink wash painting", "a Chinese ink painting", "a sumi-e",
         "a Japanese ink drawing",
         "a brush and ink painting", "a Chinese brush painting", "an ink painting on rice paper"),
        ("sumi-e", "sumie", "sumi", "ink wash", "ink painting", "chinese ink", "brush and ink", "rice paper",
         "shan shui", "sesshu", "ink and brush", "ink drawing", "chinese brush", "qi baishi"),
        ("Sesshu", "Qi Baishi", "sumi-e", "Chinese ink painting", "shan shui"),
        held_out=("a rice paper painting in Chinese ink", "a sumi-e drawing"),
    ),
    Style(
        "ukiyo-e",
        ("an Ukiyo-e painting", "a Japanese woodblock print", "an ukiyo-e print", "a woodblock print",
         "a Hokusai print",
         "a Hiroshige landscape", "a Japanese print", "a woodcut by Hokusai", "an Edo period print"),
        ("ukiyo", "ukiyo-e", "woodblock", "hokusai", "hiroshige", "utamaro", "edo", "japanese print", "great wave",
         "woodcut"),
        ("Hokusai", "Hiroshige", "Utamaro", "ukiyo-e", "Japanese woodblock prints", "The Great Wave"),
        held_out=("a Hokusai woodblock print", "an Edo print by Hiroshige"),
        mark="shapes",
    ),
    Style(
        "pencil",
        ("a pencil drawing", "a pencil sketch", "a graphite drawing", "a sketch in pencil", "a hand-drawn sketch",
         "a drawing in pencil on white paper", "a graphite sketch", "a sketchbook page"),
        ("pencil", "graphite", "sketch", "sketchbook", "hand-drawn", "leonardo", "ingres"),
        ("Leonardo da Vinci's drawings", "Ingres", "pencil sketches"),
        held_out=("a page of pencil sketches", "a graphite portrait"),
        mark="strokes",
    ),
    Style(
        "charcoal",
        ("a charcoal drawing", "a drawing in charcoal", "a charcoal sketch", "a smudged charcoal portrait",
         "a charcoal picture on grey paper", "a dark charcoal study", "a drawing with burnt sticks of charcoal"),
        ("charcoal", "smudged", "conté", "conte", "kollwitz"),
        ("Käthe Kollwitz", "charcoal studies"),
        held_out=("a smudged drawing in charcoal", "a charcoal portrait"),
    ),
    Style(
        "engraving",
        ("an engraving", "an etching", "a copperplate engraving", "an old book engraving", "an engraved plate",
         "a steel engraving", "an engraved print", "a banknote engraving", "a line engraving"),
        ("engraving", "engraved", "etching", "etched", "copperplate", "banknote", "dürer", "durer", "doré", "dore",
         "piranesi"),
        ("Albrecht Dürer", "Gustave Doré", "Piranesi", "old engravings"),
        held_out=("an engraved banknote", "a copperplate print"),
        mark="lines",
    ),
    Style(
        "pop art",
        ("a pop art print", "a pop art poster", "a halftone print", "a Warhol screen print",
         "a Roy Lichtenstein painting",
         "a screen print with halftone dots", "a silkscreen poster", "a pop art picture"),
        ("pop art", "pop-art", "halftone", "warhol", "lichtenstein", "screen print", "screenprint", "silkscreen",
         "ben-day", "benday"),
        ("Andy Warhol", "Roy Lichtenstein", "pop art", "Warhol"),
        held_out=("a Warhol poster", "a Lichtenstein print with halftone dots"),
        mark="dots",
    ),
    Style(
        "comic",
        ("a comic book drawing", "a comic", "a graphic novel panel", "a comic strip", "an inked comic panel",
         "a superhero comic", "a page from a comic book", "an American comic"),
        ("comic", "comics", "graphic novel", "superhero", "kirby", "moebius", "hergé", "inked"),
        ("Jack Kirby", "Moebius", "Hergé", "comic books"),
        held_out=("a comic book panel", "an inked graphic novel"),
        mark="shapes",
    ),
    Style(
        "stained glass",
        ("a stained glass window", "a stained-glass picture", "a cathedral window", "a leaded glass window",
         "a church window of coloured glass", "a Tiffany glass panel", "a stained glass panel"),
        ("stained glass", "stained-glass", "cathedral window", "church window", "leaded", "tiffany", "coloured glass",
         "colored glass", "chagall"),
        ("Tiffany", "Gothic stained glass", "Chagall's windows"),
        held_out=("a church window of stained glass", "a Tiffany window"),
        mark="panes",
    ),
    Style(
        "mosaic",
        ("a mosaic", "a Roman mosaic", "a Byzantine mosaic", "a mosaic of small tiles", "a tile mosaic",
         "a mosaic made of stones", "a tesserae mosaic", "a floor mosaic"),
        ("mosaic", "tesserae", "tiles", "tiled", "byzantine", "gaudí", "gaudi", "ravenna"),
        ("Gaudí", "Roman mosaics", "the mosaics of Ravenna"),
        held_out=("a Byzantine floor of tiles", "a mosaic of stones"),
        mark="tiles",
    ),
    Style(
        "pixel art",
        ("pixel art", "an 8-bit game", "a pixel art picture", "a retro video game", "a 16-bit game screen",
         "an old console game", "a pixelated picture", "a sprite from an arcade game"),
        ("pixel", "pixels", "pixelated", "pixel-art", "8-bit", "16-bit", "8 bit", "16 bit", "video game", "arcade",
         "console game", "sprite", "retro game"),
        ("8-bit games", "arcade games", "pixel art"),
        held_out=("a pixelated arcade game", "an 8-bit picture"),
        mark="pixels",
    ),
    Style(
        "paper cut",
        ("a paper cut-out", "a layered paper cut-out", "a paper collage", "a papercut picture",
         "a cut paper illustration",
         "a picture of layered coloured paper", "a paper craft scene", "a Matisse cut-out"),
        ("paper cut", "papercut", "cut-out", "cutout", "cut out", "cut paper", "paper collage", "collage",
         "layered paper", "coloured paper",
         "paper craft", "papercraft", "paper cutting", "matisse", "reiniger"),
        ("Matisse's cut-outs", "paper cutting", "Lotte Reiniger"),
        held_out=("a Matisse paper collage", "a picture of cut paper"),
        mark="shapes",
    ),
    Style(
        "neon",
        ("a neon sign", "a glowing neon picture", "neon light art", "a neon outline drawing", "a synthwave picture",
         "a cyberpunk neon scene", "a picture of glowing tubes", "neon lights in the dark"),
        ("neon", "glowing", "synthwave", "cyberpunk", "tron", "vaporwave", "glow"),
        ("Tron", "synthwave", "cyberpunk"),
        held_out=("a glowing synthwave sign", "a neon drawing"),
        mark="tubes",
    ),
    Style(
        "cyanotype",
        ("a cyanotype", "a blueprint", "a cyanotype print", "a Prussian blue photograph", "an old blue print",
         "a blue monochrome print", "an architect's blueprint", "a sun print"),
        ("cyanotype", "blueprint", "prussian blue", "sun print", "blue print", "blue monochrome", "atkins"),
        ("Anna Atkins", "cyanotypes", "blueprints"),
        held_out=("a Prussian blue print", "an old cyanotype photograph"),
        mark="marks",
    ),
    Style(
        "gouache",
        ("a gouache poster", "a gouache painting", "a travel poster", "a vintage travel poster", "a poster in gouache",
         "a flat painted poster", "an opaque gouache illustration", "an art deco poster"),
        ("gouache", "poster", "travel poster", "art deco", "cassandre", "tempera"),
        ("Cassandre", "art deco posters", "vintage travel posters"),
        held_out=("a poster in opaque gouache", "a vintage art deco poster"),
        mark="shapes",
    ),
    Style(
        "pastel",
        ("a chalk pastel drawing", "a soft pastel painting", "a drawing in chalk", "a crayon drawing",
         "a chalk drawing",
         "a pastel on toned paper", "a pastel crayon picture", "a Degas pastel"),
        ("chalk", "crayon", "crayons", "soft pastel", "chalk pastel", "pastel drawing", "pastel painting", "degas"),
        ("Degas", "Degas's pastels", "chalk pastels"),
        held_out=("a drawing in soft pastel", "a chalk picture on toned paper"),
    ),
    Style(
        "cross-hatching",
        ("a cross-hatched ink drawing", "a cross-hatching", "a pen and ink drawing", "a hatched pen drawing",
         "a drawing in black ink",
         "a cross-hatched pen sketch", "a drawing with hatched lines", "a ballpoint pen drawing"),
        ("cross-hatch", "cross-hatched", "cross-hatching", "crosshatching", "crosshatch", "hatched", "hatching",
         "pen and ink",
         "pen and ink drawing", "pen drawing",
         "ballpoint", "black ink", "crumb", "gorey"),
        ("Robert Crumb", "Edward Gorey", "pen and ink drawings"),
        held_out=("a pen drawing with cross-hatching", "a cross-hatched drawing"),
        mark="hatching",
    ),
    Style(
        "linocut",
        ("a linocut", "a linocut print", "a black and white linocut", "a lino print", "a relief print cut with gouges",
         "a carved block print", "an expressionist woodcut", "a block print in black"),
        ("linocut", "lino", "linoleum", "block print", "relief print", "gouges", "carved", "expressionist woodcut",
         "kirchner", "vallotton"),
        ("Vallotton", "Kirchner's woodcuts", "linocuts"),
        held_out=("a lino block print", "a carved linocut"),
        mark="cuts",
    ),
    Style(
        "anime",
        ("an anime frame", "a cel-shaded anime frame", "an anime picture", "a cel-shaded cartoon", "a cartoon",
         "a Japanese animation", "a hand-drawn anime film", "a manga in colour", "a Studio Ghibli film"),
        ("anime", "hand-drawn anime", "cel-shaded", "cel shaded", "cartoon", "manga", "ghibli", "miyazaki", "animation",
         "animated", "shinkai", "toon"),
        ("Hayao Miyazaki", "Studio Ghibli", "Makoto Shinkai", "anime"),
        held_out=("a Ghibli animation", "a cel-shaded film"),
        mark="shapes",
    ),
    Style(
        "cubism",
        ("a cubist painting", "a Picasso painting", "a cubist picture", "a painting of cubist facets",
         "a Braque still life",
         "an analytical cubist painting", "a painting broken into facets", "a Juan Gris painting"),
        ("cubist", "cubism", "picasso", "braque", "gris", "facets", "faceted"),
        ("Picasso", "Georges Braque", "Juan Gris", "cubism"),
        held_out=("a Braque painting with facets", "a cubist portrait"),
        mark="facets",
    ),
    Style(
        "low-poly",
        ("a low-poly rendering", "low-poly art", "a low poly picture", "a picture of triangles", "a polygon mesh",
         "a triangulated picture", "a geometric low-poly scene", "a picture of folded triangles"),
        ("low-poly", "low poly", "lowpoly", "polygon", "polygons", "polygonal", "triangles", "triangulated", "origami"),
        ("low-poly art", "low-poly games"),
        held_out=("a scene of polygon triangles", "a low-poly landscape"),
        mark="triangles",
    ),
    Style(
        "sepia film",
        ("an old sepia photograph", "a sepia film", "a sepia photograph", "a Victorian photograph",
         "an old silent film",
         "a daguerreotype", "a faded antique photograph", "an old brown photograph"),
        ("sepia film", "brown photograph", "sepia photograph", "old photograph", "antique photograph", "daguerreotype",
         "silent film", "victorian", "old film",
         "sepia", "tintype"),
        ("silent films", "Victorian photographs"),
        held_out=("an antique sepia picture", "a faded silent film"),
        mark="grain",
    ),
    Style(
        "thomas kinkade",
        ("a Thomas Kinkade painting", "a painting by Thomas Kinkade", "a glowing cottage painting", "a Kinkade scene",
         "a cosy painting full of glowing light", "a painting with glowing windows at dusk", "a Kinkade cottage",
         "a painting of golden light"),
        ("kinkade", "thomas kinkade", "painter of light", "cottage", "glowing cottage", "glowing windows", "cosy",
         "cozy",
         "glowing light", "golden light"),
        ("Thomas Kinkade", "the painter of light", "Kinkade"),
        held_out=("a cottage by Kinkade", "a cosy Kinkade painting"),
    ),
    Style(
        "georgia o'keeffe",
        ("a Georgia O'Keeffe painting", "a painting by Georgia O'Keeffe", "an O'Keeffe flower",
         "a smooth modernist painting",
         "a painting of soft large forms", "an O'Keeffe desert painting", "an O'Keeffe",
         "an American modernist painting"),
        ("o'keeffe", "okeeffe", "o'keefe", "keeffe", "georgia", "modernist", "modernism", "soft large forms"),
        ("Georgia O'Keeffe", "O'Keeffe", "American modernism"),
        held_out=("a flower by Georgia O'Keeffe", "an O'Keeffe painting"),
        mark="shapes",
    ),
    Style(
        "paul kenton",
        ("a Paul Kenton painting", "a painting by Paul Kenton", "a palette knife cityscape", "a Kenton cityscape",
         "a splashed city painting with drips", "a dripping cityscape", "an urban painting with splashes",
         "a Kenton city scene"),
        ("kenton", "paul kenton", "palette knife cityscape", "cityscape", "splashed", "splashes", "drips", "dripping",
         "urban painting"),
        ("Paul Kenton", "Kenton"),
        held_out=("a city by Paul Kenton", "a Kenton painting with splashes"),
    ),
    Style(
        "peter mohrbacher",
        ("a Peter Mohrbacher painting", "a painting by Peter Mohrbacher", "an ethereal fantasy painting",
         "a Mohrbacher angel",
         "an angelic apparition", "a fantasy painting with veils of light", "a Mohrbacher fantasy",
         "an ethereal painting of an angel"),
        ("mohrbacher", "peter mohrbacher", "ethereal", "angelic", "angel", "angels", "fantasy", "apparition", "veils",
         "angelarium"),
        ("Peter Mohrbacher", "Mohrbacher", "Angelarium"),
        held_out=("an angel by Mohrbacher", "an ethereal Mohrbacher painting"),
        mark="veils",
    ),
    Style(
        "feng zhu",
        ("a Feng Zhu concept painting", "a painting by Feng Zhu", "concept art", "a concept art painting",
         "a concept painting",
         "a matte painting", "a Feng Zhu design", "a science fiction concept painting"),
        ("feng zhu", "zhu", "concept artists", "concept art", "concept painting", "matte painting", "science fiction",
         "sci-fi", "digital painting"),
        ("Feng Zhu", "concept artists", "Feng Zhu Design"),
        held_out=("a concept design by Feng Zhu", "a concept art scene"),
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
