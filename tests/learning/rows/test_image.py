from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features import image_reader
from sqlfuncs.learning.features.image_features import ImageFeatures
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.image import Images
from sqlfuncs.learning.rows.text import Texts


def encoded(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    """An image as the bytes of a file."""
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def _half(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Black on the left, white on the right."""
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    pixels[:, size[0] // 2 :] = 255
    return Image.fromarray(pixels).convert(mode)


def _read(values: Sequence[bytes | None]) -> Images:
    rows = registry.read(pa.array(values, pa.binary()))
    assert isinstance(rows, Images)
    return rows


def _grey(source: bytes) -> np.ndarray:
    return np.asarray(image_reader.decode(source, image_reader.SIDE).convert("L")).astype(int)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_every_format_is_the_same_picture(kind: str) -> None:
    rows = _read([encoded(_half("RGB")), encoded(_half("RGB"), kind)])
    assert rows.reasons.tolist() == [None, None]
    assert rows.values[1] == pytest.approx(rows.values[0], abs=0.1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "I", "F", "CMYK"])
def test_every_way_to_store_colours_is_the_same_picture(mode: str) -> None:
    if mode in ("I;16", "I"):
        grey = np.asarray(_half("L")).astype(np.uint16) * 257
        image = Image.fromarray(grey if mode == "I;16" else grey.astype(np.int32))
    elif mode == "F":
        image = Image.fromarray(np.asarray(_half("L")).astype(np.float32) / 255)
    elif mode == "LA":
        image = _half("L").convert("LA")
    else:
        image = _half(mode)
    kind = "TIFF" if mode in ("F", "CMYK", "I") else "PNG"
    grey_pixels = _grey(encoded(image, kind))
    assert grey_pixels[:, :18].max() < 10
    assert grey_pixels[:, 22:].min() > 245


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert _grey(encoded(clear)).min() == 255
    palette = Image.new("P", (20, 20), 3)
    palette.putpalette([0] * 768)
    assert _grey(encoded(palette, "GIF", transparency=3)).min() == 255


def test_a_photograph_taken_sideways_is_turned() -> None:
    upright = _half()
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn clockwise by 90 degrees to show"
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    shown = _grey(encoded(turned, "JPEG", exif=exif, quality=95))
    assert shown.shape == (30, 40)
    assert shown[:, :15].max() < 30
    assert shown[:, 25:].min() > 225


def test_the_first_frame_of_a_moving_picture() -> None:
    frames = [Image.new("L", (20, 20), 250), Image.new("L", (20, 20), 5)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert _grey(moving).min() > 240


def _bomb(side: int) -> bytes:
    """A PNG that says it is huge, without the pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def test_images_that_cannot_be_read_keep_their_place() -> None:
    good = encoded(_half())
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3)).astype(np.uint8)
    long = encoded(Image.fromarray(noise))
    photograph = encoded(Image.fromarray(noise), "JPEG")
    broken = bytes([*long[:2000], *([0] * 2000), *long[4000:]])
    values = [good, None, b"", b"no image", long[:-5000], photograph[:1500], broken]
    rows = _read([*values, _bomb(10_000), _bomb(60_000), b"%!PS-Adobe-3.0 EPSF-3.0\n", good])
    damaged = "the image is damaged or cut off"
    assert rows.reasons.tolist() == [
        None,
        "the image is NULL",
        "the image is empty",
        "the image is in no format that can be read",
        damaged,
        damaged,
        damaged,
        "the image has 10000 x 10000 pixels, more than are read (90,000,000)",
        "the image has more pixels than are read (90,000,000)",
        "the image is in no format that can be read: it is a drawing (PostScript)",
        None,
    ]
    assert not rows.values[1:-1].any()
    assert rows.digests()[0] == rows.digests()[-1]


def test_random_damage_raises_nothing() -> None:
    random = np.random.default_rng(0)
    whole = [
        encoded(_half("RGB", (64, 64)), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP")
    ]
    for number in range(150):
        content = bytearray(whole[number % len(whole)])
        for place in random.integers(0, len(content), 8):
            content[place] = random.integers(256)
        (reason,) = _read([bytes(content)]).reasons
        assert reason is None or reason.startswith("the image")


def test_large_images_are_reduced_before_they_are_turned_to_colours() -> None:
    large = _half("RGB", (2000, 1500))
    assert max(image_reader.decode(encoded(large), image_reader.SIDE).size) < 400
    assert max(image_reader.decode(encoded(large, "JPEG"), image_reader.SIDE).size) < 600
    small = _read([encoded(_half("RGB", (200, 150)))]).values
    assert _read([encoded(large)]).values == pytest.approx(small, abs=0.1)


def test_text_is_paths_if_all_of_it_looks_like_them_and_one_exists(tmp_path: Path) -> None:
    there = tmp_path / "a.PNG"
    there.write_bytes(encoded(_half()))
    missing = str(tmp_path / "b.jpg")
    odd = ["\0.png", "x" * 5000 + ".png", str(tmp_path) + "/.png"]
    rows = registry.read_column(pa.array([str(there), None, missing, *odd]))
    assert isinstance(rows, Images)
    gone = "there is no such image file"
    assert rows.reasons.tolist() == [None, "the image is NULL", *[gone] * 4]
    texts = registry.read_column(pa.array([str(there), "see a.png for the rest"]))
    assert isinstance(texts, Texts)
    with pytest.raises(BadInput, match=r"ends like the path of an image .*b.jpg.*Give whole paths"):
        registry.read_column(pa.array([missing, None]))
    assert isinstance(registry.read_column(pa.array([missing + " "])), Texts)
    assert isinstance(registry.read_column(pa.array([], pa.string())), Texts)
    assert isinstance(registry.read(pa.array([str(there)])), Texts)


def test_an_encoder_gets_images_in_order_and_gives_the_view() -> None:
    sizes: list[int] = []

    def brightness(some: Sequence[Image.Image]) -> np.ndarray:
        sizes.append(len(some))
        return np.array([[np.asarray(image).mean(), 1] for image in some], dtype=np.float32)

    rows = _read([encoded(Image.new("RGB", (30, 30), (n, n, n))) for n in range(0, 200, 5)])
    vectors = image_reader.encoded(rows.sources, brightness)
    assert vectors[:, 0].tolist() == list(range(0, 200, 5))
    assert max(sizes) <= 16
    _, views = ImageFeatures.of_encoder(vectors)
    assert [view.shape for view in views] == [(40, 2)]
    _, views = rows.features("fast")
    assert sum(view.shape[1] for view in views) == image_reader.FEATURES


def test_some_of_the_rows() -> None:
    rows = _read([encoded(_half()), None, encoded(Image.new("L", (9, 9), 7))])
    some = rows.take(np.array([2, 0]))
    assert some.sources == (rows.sources[2], rows.sources[0])
    assert some.digests() == [rows.keys[2], rows.keys[0]]
    assert (some.values == rows.values[[2, 0]]).all()
