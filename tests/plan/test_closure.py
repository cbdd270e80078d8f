"""The files that a script runs, beside what the standard library's finder of modules says of it."""

from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from fading.models import MODELS
from fading.plan import closure
from fading.plan.closure import SCRIPTS, imports

OURS = [str(file.relative_to(SCRIPTS)) for file in sorted(SCRIPTS.glob("*/*.py")) if file.parent.name != "fading"]


def found(*sources: str) -> set[str]:
    """By the bytecode."""
    finder = ModuleFinder(path=[str(SCRIPTS)])
    for source in sources:
        finder.run_script(str(SCRIPTS / source))
    files = {Path(module.__file__).resolve() for module in finder.modules.values() if module.__file__}
    return {str(path.relative_to(SCRIPTS)) for path in files | {SCRIPTS / source for source in sources}}


@pytest.mark.parametrize("script", OURS)
def test_every_script_runs_what_the_standard_library_finds(script):
    assert set(imports(script)) == found(script)


def test_what_is_loaded_by_name_counts_with_what_it_imports():
    models = [MODELS.source(kind) for kind in MODELS]
    assert set(imports("train/training.py", *models)) == found("train/training.py", *models)


def test_imports_in_functions_from_packages_and_relative_ones_count(tmp_path, monkeypatch):
    (tmp_path / "kit/tools").mkdir(parents=True)
    for file, text in {
        "script.py": "import numpy\n\ndef late():\n    from kit import tools\n",
        "kit/__init__.py": "ANSWER = 42\n",
        "kit/tools/__init__.py": "from .saw import cut\n",
        "kit/tools/saw.py": "from .. import ANSWER, plane\nimport kit.tools.hammer\n",
        "kit/tools/hammer.py": "",
        "kit/plane.py": "",
        "kit/unused.py": "",
    }.items():
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(closure, "SCRIPTS", tmp_path)
    closure._imported.cache_clear()
    kit = {"__init__.py", "plane.py", "tools/__init__.py", "tools/saw.py", "tools/hammer.py"}
    assert set(imports.__wrapped__("script.py")) == {"script.py", *(f"kit/{file}" for file in kit)}
    closure._imported.cache_clear()
