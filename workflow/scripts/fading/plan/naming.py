"""How a job is called, and where its log and its times stand."""


def job_name(rule: str, wildcards: dict[str, str]) -> str:
    """A job's rule and the values of its wildcards but for the study, in the order of their names."""
    return " ".join([rule, *(value for name, value in sorted(wildcards.items()) if name != "study")])


def job_file(kind: str, rule: str, wildcards: dict[str, str]) -> str:
    """Where a job's log (kind "logs") or times stand; the wildcards' values, or patterns of them."""
    root = f"results/{wildcards['study']}" if "study" in wildcards else "resources"
    values = [value for name, value in sorted(wildcards.items()) if name != "study"]
    suffix = {"logs": "log", "times": "tsv"}[kind]
    return f"{root}/{kind}/{'/'.join([rule, '.'.join(values)]) if values else rule}.{suffix}"


def table_rule(table: str) -> str:
    """The rule that makes a public table."""
    return f"table_{table.replace('-', '_')}"
