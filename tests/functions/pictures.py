"""Tables of images for the tests: made up shapes, and scikit-learn's handwritten digits."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def shapes(count: int) -> tuple[list[bytes], list[str]]:
    """Circles and squares of any place, size and colour on noise, and which each is."""
    random = np.random.default_rng(0)
    files, names = [], []
    for number in range(count):
        noise = random.integers(0, 120, (48, 48, 3)).astype(np.uint8)
        image = Image.fromarray(noise)
        left, top = random.integers(4, 16, 2).tolist()
        side = int(random.integers(18, 28))
        colour = tuple(random.integers(120, 255, 3).tolist())
        draw = ImageDraw.Draw(image)
        shape = draw.ellipse if number % 2 else draw.rectangle
        shape((left, top, left + side, top + side), fill=colour)
        files.append(png(image))
        names.append("circle" if number % 2 else "square")
    return files, names


def digits() -> tuple[list[bytes], list[str]]:
    """The 1,797 digits of scikit-learn as PNG, and their names."""
    from sklearn.datasets import load_digits

    pixels, numbers = load_digits(return_X_y=True)
    files = [
        png(Image.fromarray((values.reshape(8, 8) * 15.9375).astype(np.uint8))) for values in pixels
    ]
    return files, [str(number) for number in numbers]


def flipped(names: list[str], rate: float, seed: int = 0) -> list[str]:
    """Labels of which a share is exchanged for another of them."""
    random = np.random.default_rng(seed)
    classes = sorted(set(names))
    given = list(names)
    for row in np.flatnonzero(random.random(len(names)) < rate):
        others = [name for name in classes if name != names[row]]
        given[row] = others[random.integers(len(others))]
    return given
