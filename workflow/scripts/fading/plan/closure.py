"""Which source files are there, and which does a script run? Snakemake reruns on them and lineage has their hashes."""

from functools import cache
from modulefinder import ModuleFinder
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
    finder = ModuleFinder(path=[str(SCRIPTS)])
    for source in sources:
        finder.run_script(str(SCRIPTS / source))
    files = {Path(module.__file__).resolve() for module in finder.modules.values() if module.__file__}
    files |= {SCRIPTS / source for source in sources}
    return tuple(sorted(str(path.relative_to(SCRIPTS)) for path in files))
