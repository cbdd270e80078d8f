"""What there is to choose from: estimators, datasets, models, experiments, a file each that describes itself.

The description is a call with literal arguments, assigned to the name of its kind in capitals:

    ESTIMATOR = Estimator(label="Arnoldi influence function (ABIF)", settings=("damping",))

It is read as text, so that a plan of a study runs none of these files and needs none of what they import.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from fading.errors import FadingError

LIBRARY = Path(__file__).parent
Description = TypeVar("Description")


class Registry(Mapping[str, Description], Generic[Description]):
    """The descriptions of one kind in a subpackage, sorted by their files' names, with `hyphen` for underscores.

    Raises FadingError, naming the file, for a description that is not a call of its kind with literal arguments.
    """

    def __init__(self, package: str, kind: type[Description], hyphen: str = "-"):
        self.folder, self.kind, self.hyphen = LIBRARY / package, kind, hyphen

    @cached_property
    def files(self) -> dict[str, Path]:
        """The described files, by name."""
        files: dict[str, Path] = {}
        for file in sorted(self.folder.rglob("[!_]*.py"), key=lambda file: file.stem):
            if self._call(file) is not None:
                name = file.stem.replace("_", self.hyphen)
                if name in files:
                    raise FadingError(f"{file} and {files[name]} both describe {name}; each name is accepted once.")
                files[name] = file
        return files

    @cached_property
    def descriptions(self) -> dict[str, Description]:
        """The descriptions, by name."""
        return {name: self._description(file) for name, file in self.files.items()}

    def _call(self, file):
        for node in ast.parse(file.read_text(), str(file)).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if self.kind.__name__.upper() in (target.id for target in targets if isinstance(target, ast.Name)):
                return node.value
        return None

    def _description(self, file):
        call, name = self._call(file), self.kind.__name__
        try:
            if not isinstance(call, ast.Call) or call.args or ast.unparse(call.func) != name:
                raise ValueError(f"found {ast.unparse(call)}")
            return self.kind(**{keyword.arg: _literal(keyword.value) for keyword in call.keywords})
        except (TypeError, ValueError) as error:
            raise FadingError(
                f"{file}: {name.upper()} has to be one {name} with literal arguments: {error}."
            ) from error

    def __getitem__(self, name: str) -> Description:
        return self.descriptions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def source(self, name: str) -> str:
        """The file of that name, relative to the folder of the scripts."""
        return str(self.files[name].relative_to(LIBRARY.parent))

    def load(self, name: str) -> ModuleType:
        """The module of that name, imported."""
        return import_module(".".join(Path(self.source(name)).with_suffix("").parts))


def _literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f"found {ast.unparse(node)}") from None
