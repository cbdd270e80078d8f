"""Configurations as their files have them: YAML in which nothing is said twice, or is another number than it looks."""

import re
import stat
from pathlib import Path

import yaml

from fading.errors import FadingError

PLAIN = re.compile(r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[-+]?\d+)?|[-+]?\.(inf|nan)", re.IGNORECASE | re.ASCII)
TEXTS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}
LARGEST = 100_000  # values, with what aliases repeat


def read(file: Path):
    """The content of a YAML file.

    Raises FadingError, one sentence naming the file, for what can't be read, for several documents, a key given twice,
    numbers that YAML takes for octal or sexagesimal, and aliases that make much out of little.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # of a device there is no end
            raise OSError("it is no regular file")
        loader = _Loader(file.read_bytes().decode())
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        return loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        raise FadingError(f"{file} can't be read: {error}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1
        raise FadingError(f"{file}, line {line}, is not readable YAML: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FadingError(f"{file} is not readable YAML: {' '.join(str(error).split())}.") from error


def naming(study: str, folder: Path) -> list[Path]:
    """The files of a folder that are a study's configuration, among others that need not be of this workflow.

    Raises FadingError if one that names the study can't be read.
    """
    return [file for file in sorted(folder.glob("*.yaml")) if _names(file, study)]


def _names(file, study):
    try:
        content = read(file)
    except FadingError:
        if file.is_file() and re.search(
            rf"^study:.*\b{re.escape(str(study))}\b", file.read_text(errors="replace"), re.M
        ):
            raise
        return False
    return isinstance(content, dict) and content.get("study") == study


def check_files(files: list[str], study: str) -> None:
    """Raise FadingError if a configuration's file is not as `read` takes it, or another beside it names the study."""
    for file in map(Path, files):
        read(file)
    for folder in {Path(file).parent.resolve(): Path(file).parent for file in files}.values():
        named = naming(study, folder)
        if len(named) > 1:
            raise FadingError(f"{' and '.join(map(str, named))} both have `study: {study}`; accepted is one of them.")


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise _problem(key, f"{key.value} is given twice; each key is accepted once")
            if key.tag not in TEXTS:
                raise _problem(key, f"the key {key.value} is no text; accepted are keys in letters, or in quotes")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _number(construct):
    def plain(loader, node):
        if not PLAIN.fullmatch(node.value):
            taken = construct(loader, node)
            raise _problem(node, f"found {node.value}, which YAML takes for {taken}; accepted are plain decimals")
        return construct(loader, node)

    return plain


_Loader.add_constructor("tag:yaml.org,2002:int", _number(yaml.SafeLoader.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _number(yaml.SafeLoader.construct_yaml_float))


def _problem(node, text):
    return yaml.MarkedYAMLError(problem=text, problem_mark=node.start_mark)


def _check_size(node):
    sizes: dict[yaml.Node, int] = {}

    def size(node):
        if node not in sizes:
            sizes[node] = LARGEST  # of one that holds itself
            parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
            sizes[node] = 1 + (0 if isinstance(node, yaml.ScalarNode) else sum(map(size, parts)))
        return sizes[node]

    if size(node) > LARGEST:
        raise _problem(node, f"aliases make more than {LARGEST} values of it")
