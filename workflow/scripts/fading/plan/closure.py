"""Which source files are there, and which does a script run? Snakemake reruns on them and lineage has their hashes."""

import ast
from functools import cache
from importlib.util import resolve_name
from itertools import accumulate
from pathlib import Path

from fading.errors import FadingError

SCRIPTS = Path(__file__).resolve().parents[2]
SNAKEFILE = Path("workflow/Snakefile")
SOURCES = {".css", ".html", ".js", ".json", ".lock", ".py", ".rst", ".smk", ".yaml"}


def project() -> list[str]:
    """Every file of the workflow, its profiles and environments, by its path from the root; the Snakefile first."""
    root, folders = SCRIPTS.parents[1], ("workflow", "profiles", "envs")
    paths = {path for folder in folders for path in (root / folder).rglob("*") if path.suffix in SOURCES}
    return [str(SNAKEFILE), *sorted(str(path.relative_to(root)) for path in paths if path.is_file())]


def there(script: str) -> None:
    """Raise FadingError if there is no such file below workflow/scripts."""
    if not (SCRIPTS / script).is_file():
        raise FadingError(f"There is no script workflow/scripts/{script}, which a rule names.")


@cache
def imports(*sources: str) -> tuple[str, ...]:
    """The named files below workflow/scripts and every module of the library that they import, directly or not.

    Returns paths relative to workflow/scripts, sorted. Imports inside functions count; the standard library and
    installed packages do not, they are pinned by envs/study.lock. Raises FileNotFoundError for an unknown source.
    """
    found, new = set(), set(sources)
    while new:
        found |= new
        new = {file for source in new for file in _imported(source)} - found
    return tuple(sorted(found))


@cache
def _imported(source):
    names = set()
    for node in ast.walk(ast.parse((SCRIPTS / source).read_bytes(), SCRIPTS / source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), ".".join(Path(source).parent.parts))
            names |= {f"{module}.{alias.name}" for alias in node.names}  # of a package that may be a module
    modules = {Path(part) for name in names for part in accumulate(name.split("."), "{}/{}".format)}
    files = {file for module in modules for file in (module / "__init__.py", module.with_suffix(".py"))}
    return {str(file) for file in files if (SCRIPTS / file).is_file()}
