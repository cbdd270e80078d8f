"""One mis-prediction and what correcting it takes, on a page like the study's."""

import io

from PIL import Image

from fading.figures.style import Names
from fading.report.pictures import address
from fading.report.templates import filled


def page(
    title: str,
    gallery: dict,
    how: str,
    heads: tuple[str, ...],
    results: dict[str, tuple[str, ...]],
    png: bytes,
    files: dict[str, str],
    names: Names,
) -> str:
    """The page in HTML, which needs no other file and no script.

    `gallery` is one of fading.report.gallery.shown, `how` says how it was tried, `results` has the cells under `heads`
    of each intervention, `png` is the figure, `files` has the templates and looks by name.
    """
    return filled(
        "correct.html",
        files,
        names,
        title=title,
        target=gallery["examples"][0],
        method=gallery["method"],
        study={"gallery": [gallery]},
        how=how,
        heads=heads,
        results=results,
        picture=address(Image.open(io.BytesIO(png))),
    )
