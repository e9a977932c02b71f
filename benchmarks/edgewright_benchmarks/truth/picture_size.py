"""How large a picture is as people see it, without reading its pixels."""

from __future__ import annotations

from typing import Any

# Of EXIF's orientations those whose rows are columns as the picture is shown.
_TURNED = (5, 6, 7, 8)


def picture_size(file: Any) -> tuple[int, int] | None:
    """Width and height of a picture as it is shown, from the head of its file.

    None where that cannot be told: what is wrong with it, the step that reads it says when its turn comes.
    """
    try:
        from PIL import ExifTags, Image
    except ImportError:
        return None
    try:
        with Image.open(file) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
            return (image.height, image.width) if turned else (image.width, image.height)
    except Exception:  # noqa: BLE001 - a damaged file makes Pillow raise anything, and the engines will say what is wrong
        return None
