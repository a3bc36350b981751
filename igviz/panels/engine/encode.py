"""From pixels to bytes: a JPEG while a panel moves, a PNG when it rests, a small captioned PNG for a file."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAPTION_HINT = "Run this cell to move the sliders."
CAPTION_SIZE = 14
CAPTION_MARGIN = 12
LINE_HEIGHT = 20
STORED_COLOURS = 64
NEARLY_WHITE = 248


def jpeg(pixels: np.ndarray) -> bytes:
    """Encode RGBA pixels, shape (height, width, 4), as a JPEG of quality 90 with full colour resolution."""
    height, width, _ = pixels.shape
    stream = io.BytesIO()
    image = Image.frombuffer("RGBX", (width, height), pixels, "raw", "RGBX", 0, 1)
    image.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()


def png(pixels: np.ndarray) -> bytes:
    """Encode opaque RGBA pixels, shape (height, width, 4), as a PNG without loss."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(stream, "PNG", compress_level=2)
    return stream.getvalue()


def stored_png(*pictures: tuple[np.ndarray, str]) -> bytes:
    """Encode pictures for a file, each with its sentence below it as a caption: 64 colours.

    Viewers that cannot run a panel show this picture alone, so it must carry the words too.
    """
    cards = [captioned(pixels, sentence, CAPTION_HINT) for pixels, sentence in pictures]
    page = Image.new("RGB", (max(card.width for card in cards), sum(card.height for card in cards)), "white")
    top = 0
    for card in cards:
        page.paste(card, (0, top))
        top += card.height
    return small_png(page)


def captioned(pixels: np.ndarray, sentence: str, hint: str = "", fewest_lines: int = 1) -> Image.Image:
    """Return a picture with a sentence, and a hint in grey, written below it."""
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    font, slanted = _fonts()
    lines = _wrapped(sentence, picture.width - 2 * CAPTION_MARGIN, font)
    count = max(fewest_lines, len(lines)) + (1 if hint else 0)
    card = Image.new("RGB", (picture.width, picture.height + LINE_HEIGHT * count + CAPTION_MARGIN), "white")
    card.paste(picture, (0, 0))
    pen = ImageDraw.Draw(card)
    top = picture.height + 2
    for line in lines:
        pen.text((CAPTION_MARGIN, top), line, fill="#222222", font=font)
        top += LINE_HEIGHT
    pen.text((CAPTION_MARGIN, top), hint, fill="#666666", font=slanted)
    return card


def small_png(picture: Image.Image) -> bytes:
    """Encode a picture with 64 colours."""
    reduced = picture.quantize(STORED_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.reshape(np.array(reduced.getpalette()), (-1, 3))
    palette[np.all(palette >= NEARLY_WHITE, axis=1)] = 255  # the octree averages the paper to a light grey
    reduced.putpalette(palette.ravel().tolist())
    stream = io.BytesIO()
    reduced.save(stream, "PNG", optimize=True)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont]:
    from matplotlib.font_manager import FontProperties, findfont

    return (
        ImageFont.truetype(findfont(FontProperties(family="DejaVu Sans")), CAPTION_SIZE),
        ImageFont.truetype(findfont(FontProperties(family="DejaVu Sans", style="oblique")), CAPTION_SIZE - 1),
    )


def _wrapped(sentence: str, width: float, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]
