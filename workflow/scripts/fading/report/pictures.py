"""Pictures that lie in the page itself."""

import base64
import io

from PIL.Image import Image


def address(picture: Image) -> str:
    """A PNG of the picture as the address of an image."""
    file = io.BytesIO()
    picture.save(file, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
