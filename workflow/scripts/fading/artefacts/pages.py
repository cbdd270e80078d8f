"""HTML as an artefact, beside the formats of store: its lineage stands in a script element that no browser runs."""

import json
from pathlib import Path

from fading.artefacts import store

BEGIN, END = '<script type="application/json" id="lineage">', "</script>"
HEAD = "<head>"


def _write(path: Path, page: str, lineage: str) -> None:
    before, head, after = page.partition(HEAD)
    harmless = lineage.replace("</", "<\\/")  # which JSON reads as the same
    path.write_text(f"{before}{head}\n{BEGIN}{harmless}{END}{after}")


def _header(path: Path):
    return json.loads(path.read_text().partition(BEGIN)[2].partition(END)[0])


store.WRITERS[".html"], store.HEADERS[".html"] = _write, _header
