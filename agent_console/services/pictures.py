"""What a handful of bytes is as an image, told by its head; nothing of it is decoded here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 40_000_000  # a browser needs four bytes for each
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_NO_IMAGE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that may be shown: its type as its bytes say, its measures in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int
    animated: bool

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its bytes in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def look(content: bytes) -> Picture | None:
    """Return what ``content`` shows; None unless it is PNG, JPEG, GIF or WebP of bearable size."""
    try:
        with Image.open(BytesIO(content), formats=list(_TYPES)) as image:
            width, height = image.size
            media_type = _TYPES[image.format or ""]
            if not 0 < width * height <= MAX_PIXELS:
                return None
            return Picture(
                content, media_type, width, height, bool(getattr(image, "is_animated", False))
            )
    except _NO_IMAGE:
        return None
