"""The workflow's rules, as their files have them."""

import re
from dataclasses import dataclass
from functools import cached_property

from conftest import ROOT


@dataclass(frozen=True)
class Rule:
    """One block of a rule file; rules that a loop makes are one, by the name that it gives them."""

    name: str
    text: str

    @cached_property
    def script(self) -> str | None:
        """Below workflow/scripts."""
        return self._found(r'"\.\./scripts/(\S+)"')

    @cached_property
    def kind(self) -> str | None:
        """Of its environment."""
        return self._found(r"envs/(\w+)\.yaml")

    def _found(self, pattern):
        match = re.search(pattern, self.text)
        return match and match[1]


def rules() -> list[Rule]:
    """Every rule that does something."""
    found = []
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for text in re.split(r"\n(?= *rule\b[^\n]*:\n)", file.read_text())[1:]:
            name = re.match(r" *rule (\w+):", text) or re.search(r"name:\n +(.+)", text)
            found.append(Rule(name[1], text))
    return [rule for rule in found if rule.script or rule.kind]
