"""What files hold, by their first bytes and by their names: media that are not understood yet."""

from __future__ import annotations

from collections.abc import Sequence

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif", ".ppm")
_SUFFIXES = {
    "images": IMAGES,
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aiff"),
    "video": (".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".wmv"),
    "documents": (
        ".pdf",
        ".doc",
        ".docx",
        ".odt",
        ".rtf",
        ".ppt",
        ".pptx",
        ".xls",
        ".xlsx",
        ".epub",
    ),
    "drawings": (".svg", ".eps", ".ps"),
    "archives": (".zip", ".gz", ".tar", ".tgz", ".7z", ".rar", ".zst"),
    "tables": (".parquet", ".arrow", ".npy", ".npz", ".h5"),
}
# Where, what stands there, what it is. A container is told by what it says it holds.
_SIGNATURES = (
    (8, b"WAVE", "audio (WAV)"),
    (8, b"AVI ", "video (AVI)"),
    (0, b"ID3", "audio (MP3)"),
    (0, b"\xff\xfb", "audio (MP3)"),
    (0, b"\xff\xf3", "audio (MP3)"),
    (0, b"fLaC", "audio (FLAC)"),
    (0, b"OggS", "audio (Ogg)"),
    (8, b"AIFF", "audio (AIFF)"),
    (4, b"ftypM4A", "audio (M4A)"),
    (4, b"ftypisom", "video (MP4)"),
    (4, b"ftypmp4", "video (MP4)"),
    (4, b"ftypM4V", "video (MP4)"),
    (4, b"ftypqt", "video (QuickTime)"),
    (0, b"\x1a\x45\xdf\xa3", "video (Matroska or WebM)"),
    (0, b"\x00\x00\x01\xba", "video (MPEG)"),
    (0, b"%PDF", "a document (PDF)"),
    (0, b"{\\rtf", "a document (RTF)"),
    (0, b"\xd0\xcf\x11\xe0", "a document (Microsoft Office)"),
    (0, b"PK\x03\x04", "an archive (ZIP) or a document in one"),
    (0, b"\x1f\x8b", "an archive (gzip)"),
    (0, b"7z\xbc\xaf", "an archive (7-Zip)"),
    (0, b"Rar!", "an archive (RAR)"),
    (0, b"%!PS", "a drawing (PostScript)"),
    (0, b"<svg", "a drawing (SVG)"),
    (0, b"PAR1", "a table (Parquet)"),
    (0, b"ARROW1", "a table (Arrow)"),
    (0, b"SQLite format 3", "a database (SQLite)"),
    (0, b"\x93NUMPY", "an array (NumPy)"),
)


def ends_like_one(text: str) -> bool:
    """Whether a text ends like the name of a file of media.

    >>> ends_like_one("/x/3.WAV "), ends_like_one("see b.wav.")
    (True, False)
    """
    suffix = f".{text.strip().lower().rpartition('.')[2]}"
    return any(suffix in known for known in _SUFFIXES.values())


def of_bytes(content: bytes) -> str | None:
    """What a file that is no image holds, by its first bytes; None if that is not known.

    >>> of_bytes(b"RIFF....WAVEfmt "), of_bytes(b"hello")
    ('audio (WAV)', None)
    """
    for place, signature, what in _SIGNATURES:
        if content[place : place + len(signature)] == signature:
            return what
    return None


def of_paths(texts: Sequence[str]) -> str | None:
    """What texts name if each ends like a file of media, and not all like images; else None.

    >>> of_paths(["a.wav", "b.MP3"]), of_paths(["a.wav", "see b.wav."]), of_paths(["a.png"])
    ('audio', None, None)
    """
    found = set()
    for text in texts:
        suffix = f".{text.lower().rpartition('.')[2]}"
        kind = next((kind for kind, known in _SUFFIXES.items() if suffix in known), None)
        if kind is None:
            return None
        found.add(kind)
    return " and ".join(sorted(found)) if found - {"images"} else None
