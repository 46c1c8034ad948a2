"""Pictures in the forms that callers hold them in. Only arrays need Pillow (`pip install livecart-client[pictures]`)."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from livecart_client.errors import InvalidRequest

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray
    from PIL.Image import Image

JPEG_QUALITY = 92
Picture: TypeAlias = "str | os.PathLike[str] | bytes | Image | NDArray[Any]"


def encoded(picture: Picture) -> bytes:
    """JPEG, PNG or WebP: a file's or the given bytes as they are, images and arrays as JPEG.

    Arrays are uint8 (height, width, 3) in RGB order, or (height, width) in grey; OpenCV's are BGR: pass `frame[:, :, ::-1]`.
    Raises InvalidRequest for anything else, and OSError for a file that cannot be read.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, str | os.PathLike):
        return Path(picture).read_bytes()
    if hasattr(picture, "__array_interface__") and hasattr(picture, "dtype"):
        return _jpeg(_image(cast("NDArray[Any]", picture)))
    if hasattr(picture, "convert") and hasattr(picture, "save"):
        return _jpeg(cast("Image", picture))
    raise InvalidRequest(f"a picture is a path, bytes, a PIL image or a numpy array, not a {type(picture).__name__}", param="frame")


def _image(array: "NDArray[Any]") -> "Image":
    shape, kind = tuple(array.shape), str(array.dtype)
    is_picture = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    if kind != "uint8" or not is_picture or 0 in shape:
        found = f"{kind} {shape}"
        raise InvalidRequest(f"an array must be uint8 (height, width, 3) or (height, width), not {found}", param="frame")
    try:
        from PIL import Image  # noqa: PLC0415  # an extra
    except ImportError:
        raise InvalidRequest("arrays need Pillow: pip install livecart-client[pictures]", param="frame") from None
    return Image.fromarray(array)


def _jpeg(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
