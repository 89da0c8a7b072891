"""Images: decoded by Pillow one at a time, and light features of them by numpy.

What is kept of an image is its features; pixels are given up before the next one is read.
The features: histograms of oriented gradients (Dalal, Triggs: Histograms of Oriented Gradients
for Human Detection, CVPR 2005, section 6), a small grey picture, and colours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning.features import media_type

if TYPE_CHECKING:
    from PIL.Image import Image

Vectors = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.float32]
Encoder = Callable[[Sequence["Image"]], Vectors]

# Pillow also opens formats that run other programs (EPS) or whole documents.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "ICO", "JPEG2000", "AVIF")
MAX_PIXELS = 90_000_000  # beyond these an image is not decoded: it may be made to fill memory
SIDE = 64
CELL = 8
ORIENTATIONS = 9
_GREY_SIDE = 16
_GRID = 4
_SHADES = 4
SHAPE_FEATURES = (SIDE // CELL) ** 2 * ORIENTATIONS
FEATURES = SHAPE_FEATURES + _GREY_SIDE**2 + 3 * _GRID**2 + _SHADES**3
_ENCODED_AT_ONCE = 16
_ANY_SIZE = 448  # a side that image models can be given without loss; they take 224 to 384


class Unreadable(Exception):
    """Why an image cannot be used."""


def encoded(sources: Sequence[bytes | str | None], encoder: Encoder) -> Vectors:
    """What an encoder says of each image: (images, dimensions), in order.

    It gets a few decoded images at a time (RGB, upright, 448 pixels or less a side) and gives a
    vector for each. Raises Unreadable.
    """
    parts = []
    with work.task("encoding images", len(sources)) as task:
        for at in range(0, len(sources), _ENCODED_AT_ONCE):
            some = sources[at : at + _ENCODED_AT_ONCE]
            parts.append(encoder([decode(source, _ANY_SIZE) for source in some]))
            task.advance(len(some))
    stacked: Vectors = np.concatenate(parts)
    return stacked


def decode(source: bytes | str | None, side: int) -> Image:
    """An image as RGB, upright, the first of several, on white where it is transparent.

    One that is much larger than `side` may come smaller, but no side below it.
    Raises Unreadable.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if source is None:
        raise Unreadable("the image is NULL")
    if isinstance(source, str) and not is_file(source):
        raise Unreadable("there is no such image file")
    if not source:
        raise Unreadable("the image is empty")
    stream = BytesIO(source) if isinstance(source, bytes) else Path(source).expanduser()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Unreadable(_too_large(image.width, image.height))
                image.draft("RGB", (2 * side, 2 * side))
                upright = ImageOps.exif_transpose(_smaller(image, 2 * side))
                return _in_colours(upright)
    except (Unreadable, MemoryError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError:
        raise Unreadable(f"the image has more pixels than are read ({MAX_PIXELS:,})") from None
    except UnidentifiedImageError:
        what = media_type.of_bytes(_beginning(source))
        raise Unreadable(
            "the image is in no format that can be read" + (f": it is {what}" if what else "")
        ) from None
    except Exception:  # decoders meet damage with errors of many kinds
        raise Unreadable("the image is damaged or cut off") from None


def _beginning(source: bytes | str) -> bytes:
    if isinstance(source, bytes):
        return source[:16]
    with Path(source).expanduser().open("rb") as file:
        return file.read(16)


def _too_large(width: int, height: int) -> str:
    return f"the image has {width} x {height} pixels, more than are read ({MAX_PIXELS:,})"


def is_file(path: str) -> bool:
    """Whether there is such a file; a text that can be no path names none."""
    try:
        return Path(path).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, an unknown ~user
        return False


def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _smaller(image: Image, side: int) -> Image:
    """Reduced by a whole number, where that leaves both sides at `side` or more."""
    factor = min(image.width, image.height) // side
    if factor < 2 or image.mode in ("P", "1") or image.mode.startswith(("I", "F")):
        return image
    smaller: Image = image.reduce(factor)
    smaller.info = image.info
    return smaller


def _in_colours(image: Image) -> Image:
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return _from_wide(image)
    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        opaque = Image.new("RGBA", image.size, (255, 255, 255, 255))
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("RGB")
    return image.convert("RGB")


def _from_wide(image: Image) -> Image:
    """An image of 16 or 32 bits a pixel: 16 bits by their upper half, others by their range."""
    from PIL import Image

    grey: npt.NDArray[np.float64] = np.nan_to_num(
        np.asarray(image, dtype=np.float64), posinf=0, neginf=0
    )
    if image.mode.startswith("I") and grey.min() >= 0 and 255 < grey.max() < 65536:
        grey = grey / 257
    elif grey.min() < 0 or grey.max() > 255 or (image.mode == "F" and grey.max() <= 1):
        spread = np.ptp(grey)
        grey = (grey - grey.min()) * (255 / spread if spread > 0 else 0)
    return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")


def pixels(image: Image) -> Pixels:
    """An image as numbers: (SIDE, SIDE, 3), 0 to 1, whatever its sides."""
    from PIL.Image import Resampling

    resized = image.resize((SIDE, SIDE), Resampling.BILINEAR, reducing_gap=3.0)
    result: Pixels = np.asarray(resized, dtype=np.float32) / np.float32(255)
    return result


def features_of(pixels: Pixels) -> Vectors:
    """The built-in features of one image: (FEATURES,), shapes first, then light and colours."""
    grey: Pixels = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    shades = np.minimum((pixels * _SHADES).astype(np.int64), _SHADES - 1)
    place = (shades[..., 0] * _SHADES + shades[..., 1]) * _SHADES + shades[..., 2]
    histogram = np.bincount(place.ravel(), minlength=_SHADES**3) / place.size
    result: Vectors = np.concatenate(
        [
            oriented_gradients(grey).ravel(),
            _blocks(grey[..., None], _GREY_SIDE).ravel(),
            _blocks(pixels, _GRID).ravel(),
            np.sqrt(histogram),
        ],
        dtype=np.float32,
    )
    return result


def oriented_gradients(grey: Pixels) -> Pixels:
    """Where edges run in each direction: (cells, cells, orientations), lit evenly.

    >>> stripes = np.tile(np.sin(np.arange(64)) > 0, (64, 1)).astype(np.float32)
    >>> oriented_gradients(stripes)[4, 4].argmax(), oriented_gradients(stripes.T)[4, 4].argmax()
    (np.int64(0), np.int64(4))
    """
    down, across = np.gradient(np.sqrt(grey))
    strength = np.hypot(down, across)
    # Each gradient counts for the two nearest of the directions, which have no sign.
    turn = (np.arctan2(down, across) / np.pi % 1) * ORIENTATIONS
    lower = np.floor(turn).astype(np.int64)
    upper_share = turn - lower
    cells = SIDE // CELL
    rows, columns = np.indices(grey.shape) // CELL
    place = (rows * cells + columns) * ORIENTATIONS
    counted = np.zeros(cells * cells * ORIENTATIONS)
    for direction, share in ((lower, 1 - upper_share), (lower + 1, upper_share)):
        counted += np.bincount(
            (place + direction % ORIENTATIONS).ravel(),
            (strength * share).ravel(),
            minlength=counted.size,
        )
    histograms = counted.reshape(cells, cells, ORIENTATIONS)
    energy = np.pad((histograms**2).sum(axis=2), 1, mode="edge")
    around = sum(energy[r : r + cells, c : c + cells] for r in range(3) for c in range(3))
    normed: Pixels = (histograms / np.sqrt(around + 0.1)[..., None]).astype(np.float32)
    return normed


def _blocks(pixels: Pixels, side: int) -> Pixels:
    """Means over side x side blocks."""
    step = SIDE // side
    means: Pixels = pixels.reshape(side, step, side, step, -1).mean(axis=(1, 3))
    return means
