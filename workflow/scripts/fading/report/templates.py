"""Templates of pages that lie in one file."""

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from fading.figures.style import Names
from fading.report.tables import number


def filled(template: str, files: dict[str, str], names: Names, **values) -> str:
    """A template of `files` filled in; the others it may include, or have as they are with `file(name)`.

    Whatever else is put in is escaped. `number` is a filter for numbers, `label` for cases and estimators.
    """
    environment = Environment(
        loader=DictLoader(files), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "label": names.label}
    environment.globals["file"] = lambda name: Markup(files[name])
    return environment.get_template(template).render(**values)
