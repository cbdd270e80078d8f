"""Files that describe themselves: read as text, named after themselves, refused in one sentence."""

import subprocess
import sys
from dataclasses import dataclass

import pytest
from conftest import ROOT
from fading import registry
from fading.data import DATASETS, WEIGHTS
from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.models import MODELS
from fading.registry import Registry


@dataclass(frozen=True)
class Tool:
    """A kind of thing to choose from."""

    label: str
    settings: tuple[str, ...] = ()
    weight: float = 1


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Files that none may import, and a function to their registry."""
    monkeypatch.setattr(registry, "LIBRARY", tmp_path / "library")
    folder = tmp_path / "library/tools"
    (folder / "small").mkdir(parents=True)
    (folder / "__init__.py").write_text('TOOL = Tool(label="the package itself")\n')
    (folder / "hammer.py").write_text('import nowhere\n\nTOOL = Tool(label="Hammer", settings=("a",), weight=-2)\n')
    (folder / "circular_saw.py").write_text('TOOL = Tool(\n    label="Saw",\n)\nraise SystemExit\n')
    (folder / "small" / "awl.py").write_text('TOOL = Tool(label="Awl")\n')
    (folder / "shelf.py").write_text('OTHER = Tool(label="Shelf")\n\ndef tool():\n    TOOL = Tool(label="hidden")\n')
    (folder / "notes.txt").write_text('TOOL = Tool(label="Notes")\n')
    return folder


def test_descriptions_are_read_without_running_the_files(tools):
    described = Registry("tools", Tool)
    assert dict(described) == {
        "awl": Tool("Awl"),
        "circular-saw": Tool("Saw"),
        "hammer": Tool("Hammer", ("a",), -2),
    }
    assert list(described) == sorted(described), "by name, whatever the order of the files"
    assert len(described) == 3
    assert "shelf" not in described
    assert not {name for name in sys.modules if "hammer" in name or "circular_saw" in name}


def test_a_file_is_called_as_its_registry_calls_it(tools):
    assert list(Registry("tools", Tool, hyphen="_")) == ["awl", "circular_saw", "hammer"]
    described = Registry("tools", Tool)
    assert described.source("circular-saw") == "library/tools/circular_saw.py"
    assert described.source("awl") == "library/tools/small/awl.py"
    with pytest.raises(KeyError):
        described["circular_saw"]


def test_a_described_file_is_imported_on_request(tools, monkeypatch):
    (tools / "small" / "awl.py").write_text('Tool = dict\nTOOL = Tool(label="Awl")\nPOINT = 1\n')
    monkeypatch.syspath_prepend(tools.parents[1])
    (tools.parent / "__init__.py").touch()
    (tools / "__init__.py").write_text("")
    (tools / "small" / "__init__.py").touch()
    module = Registry("tools", Tool).load("awl")
    assert (module.__name__, module.POINT) == ("library.tools.small.awl", 1)
    for name in [name for name in sys.modules if name.partition(".")[0] == "library"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Tool(label=LABEL)", "found LABEL"),
        ("Tool(label='a' + str(1))", "found 'a' + str(1)"),
        ("Tool(label=f'{1}')", "found f'{1}'"),
        ("Tool(**settings)", "found settings"),
        ("Tool('by place')", "found Tool('by place')"),
        ("Tool('by place', label='by name')", "found Tool('by place', label='by name')"),
        ("Hammer(label='of another kind')", "found Hammer(label='of another kind')"),
        ("3", "found 3"),
        ("Tool(label='a', colour=3)", "Tool.__init__() got an unexpected keyword argument 'colour'"),
        ("Tool()", "Tool.__init__() missing 1 required positional argument: 'label'"),
    ],
)
def test_what_is_no_description_is_refused_in_a_sentence_that_names_the_file(tools, text, reason):
    file = tools / "broken.py"
    file.write_text(f"TOOL = {text}\n")
    described = Registry("tools", Tool)
    assert "broken" in list(described), "it counts, so that none can miss it"
    with pytest.raises(FadingError) as raised:
        described["hammer"]
    assert str(raised.value) == f"{file}: TOOL has to be one Tool with literal arguments: {reason}."


def test_a_file_that_is_no_python_is_named(tools):
    (tools / "broken.py").write_text("TOOL = Tool(\n")
    with pytest.raises(SyntaxError) as raised:
        list(Registry("tools", Tool))
    assert raised.value.filename == str(tools / "broken.py")


@pytest.mark.parametrize("library", [DATASETS, WEIGHTS, EXPERIMENTS, ESTIMATORS, MODELS])
def test_the_librarys_registries_hold_what_their_files_export(library):
    assert len(library)
    for name, description in library.items():
        assert getattr(library.load(name), library.kind.__name__.upper()) == description, name


def test_a_plan_imports_nothing_that_computes():
    heavy = ("torch", "numpy", "pandas", "scipy", "matplotlib", "snakemake")
    script = f"import sys, fading.plan.jobs; print(*(set({heavy}) & sys.modules.keys()))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT / "workflow/scripts", capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_file_without_a_description_takes_no_ones_place_and_two_with_one_name_are_refused(tools):
    folder = registry.LIBRARY / "tools"
    (folder / "plane.py").write_text('TOOL = Tool(label="Plane")\n')
    (folder / "small/plane.py").write_text("LENGTH = 3\n")
    assert Registry("tools", Tool)["plane"].label == "Plane"
    (folder / "small/plane.py").write_text('TOOL = Tool(label="another")\n')
    with pytest.raises(FadingError, match=r"plane.py and .*plane.py both describe plane; each name is accepted once"):
        list(Registry("tools", Tool))
