"""Pre-trained weights of the user's, from a file, a folder in the hub's layout or the hub: safetensors alone.

As an artefact they are like minilm's: tensors by their names in the checkpoint, float32, and of a folder or the hub
config.json and tokenizer.json as arrays of bytes under these names.
"""

import json
import tempfile
from pathlib import Path

from fading.artefacts.store import sha256
from fading.data.downloads import fetched, hub_address
from fading.errors import FadingError

TEXTS = ("config.json", "tokenizer.json")
WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"


def local(checkpoint: str | dict | None) -> list[str]:
    """The files of the user's that a case's `checkpoint` names, or the folder that it names holds; none of the hub."""
    if not isinstance(checkpoint, dict) or "hub" in checkpoint:
        return []
    if "file" in checkpoint:
        return [checkpoint["file"]]
    folder = Path(checkpoint["folder"])
    weights = [WHOLE]
    if not (folder / WHOLE).is_file():  # which transformers takes first, too
        if (folder / INDEX).is_file():
            weights = [INDEX, *_shards(folder)]
        elif (folder / PICKLED).is_file():
            weights = [PICKLED]
    return [str(folder / name) for name in (*TEXTS, *weights)]


def read(checkpoint: dict, progress=iter) -> tuple[dict, dict[str, str]]:
    """The arrays of a checkpoint, and the sha256 of each file that was downloaded for it.

    Of the hub's the weights are pinned by sha256, and config.json and tokenizer.json by the revision alone.

    Tensors of lower precision become float32. Raises FadingError for a checkpoint that is pickled, damaged, or differs
    from its sha256.
    """
    if "hub" not in checkpoint:
        return _arrays(local(checkpoint), progress), {}
    pins = {WHOLE: checkpoint["sha256"]}
    with tempfile.TemporaryDirectory() as scratch:
        files = [
            fetched(hub_address(checkpoint["hub"], checkpoint["revision"], name, "model"), name, pins, Path(scratch))
            for name in progress([*TEXTS, WHOLE])
        ]
        return _arrays(files, progress), {file.name: sha256(file) for file in files}


def _shards(folder):
    """The names of the files among which an index says that the tensors are."""
    try:
        shards = sorted(set(map(str, json.loads((folder / INDEX).read_text())["weight_map"].values())))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FadingError(f"{folder / INDEX} is no index of shards: it has no readable weight_map.") from error
    if outside := [name for name in shards if Path(name).name != name or not name.endswith(".safetensors")]:
        raise FadingError(
            f"{folder / INDEX}: found the shard {outside[0]}; accepted are safetensors files in the same folder."
        )
    return shards


def _arrays(files, progress):
    import numpy as np

    arrays = {}
    for file in progress(list(map(Path, files))):
        if file.name in TEXTS:
            arrays[file.name] = np.frombuffer(_json(file), np.uint8)
        elif file.suffix == ".safetensors":
            arrays |= _tensors(file)
        elif file.name != INDEX:
            raise FadingError(f"{file} is a pickle, which could run code; accepted is {WHOLE}: save it in that format.")
    return arrays


def _json(file):
    """The bytes of a file that holds a mapping in JSON."""
    content = file.read_bytes()
    try:
        mapping = isinstance(json.loads(content), dict)
    except ValueError:
        mapping = False
    if not mapping:
        raise FadingError(f"{file} is no readable JSON of a mapping, as checkpoints hold.")
    return content


def _tensors(file):
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(file)
    except SafetensorError as error:
        raise FadingError(f"{file} is not a readable safetensors file: {error}.") from error
    return {
        name: (tensor.float() if tensor.is_floating_point() else tensor).numpy(force=True)
        for name, tensor in tensors.items()
    }
