"""The claims of config/claims.yaml: are they well formed, and which stand on which?"""

from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.plan import schema
from fading.plan.limits import member


def check_claims(claims: list[dict], config: dict) -> None:
    """Raise FadingError, one sentence naming the key, unless the claims are well formed and of defined cases."""
    schema.check_shape(claims, schema.claims(), "config/claims.yaml")
    names = [claim["claim"] for claim in claims]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FadingError(f"config/claims.yaml has the claim {twice} twice; each name is accepted once.")
    if config["claims"] != "all":
        member("claims", config["claims"], names, "config/claims.yaml has")
    tables = {table for experiment in EXPERIMENTS.values() for table in experiment.tables}
    for claim in claims:
        key = f"config/claims.yaml: {claim['claim']}"
        member(f"{key}: case", _cases(claim), config["definitions"], "defined are")
        member(f"{key}: table", [claim["table"]], sorted(tables), "tables are")
        member(f"{key}: given", claim.get("given", []), names, "config/claims.yaml has")
    stood_on(claims, names)


def placed(claims: list[dict], cases: list[str]) -> list[dict]:
    """The claims, each on one case: of several that it may be tested on the first of a study's, or else the last."""
    chosen = [[case for case in _cases(claim) if case in cases] or _cases(claim)[-1:] for claim in claims]
    return [claim | {"case": case} for claim, (case, *_) in zip(claims, chosen, strict=True)]


def _cases(claim):
    return [claim["case"]] if isinstance(claim["case"], str) else claim["case"]


def stood_on(claims: list[dict], names: list[str]) -> set[str]:
    """The names of claims, of those that they stand on, and so forth. Raises FadingError if one stands on itself."""
    given = {claim["claim"]: claim.get("given", []) for claim in claims}
    reached: set[str] = set()

    def follow(name, above):
        if name in above:
            raise FadingError(f"config/claims.yaml: {name}: given leads back to itself: {', '.join([*above, name])}.")
        reached.add(name)
        for other in given[name]:
            follow(other, [*above, name])

    for name in names:
        follow(name, [])
    return reached
