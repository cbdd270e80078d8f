"""Write one pinned conda environment per kind of job out of study.lock: python envs/render.py"""

import re
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "study.lock"
PYTHON = "3.11.7"  # to the patch: lineage records it
FILES = ["numpy", "pandas", "pyarrow", "safetensors", "tqdm"]  # what artefacts and progress need
KINDS = {
    "base": ["jsonschema", "pyyaml", "snakemake", "snakemake-executor-plugin-slurm"],  # where each job has its own
    "data": ["huggingface-hub", "pooch", "setuptools", *FILES],
    "torch": ["matplotlib", "pooch", "scipy", "tokenizers", "torch", "torchvision", "transformers", *FILES],
    "peers": [
        "captum",
        "curvlinops-for-pytorch",
        "dattri",
        "kronfluence",
        "scipy",
        "torch",
        "torchvision",
        "transformers",
        *FILES,
    ],
    "figures": ["docutils", "jinja2", "matplotlib", "scipy", "seaborn", *FILES],
    "provenance": ["pillow", "pyyaml", "rocrate", "snakemake", *FILES],
}


def pins(lock: str) -> dict[str, tuple[list[str], set[str]]]:
    """Each package of a lock: its pins with hashes, one per version, and the packages that need it."""
    packages: dict[str, tuple[list[str], set[str]]] = {}
    for block in re.split(r"\n(?=\w)", lock.strip()):
        name = block.split("==")[0]
        requirement, *hashes = re.sub(r"\s*#.*", "", block).replace("\\", "").split("--hash=")
        pin = " --hash=".join([requirement.strip(), *(one.strip() for one in hashes)])
        needed_by = set(re.findall(r"#(?: via)? +([\w.-]+)$", block, re.MULTILINE))
        lines, parents = packages.setdefault(name, ([], set()))
        lines.append(pin)
        parents |= needed_by
    return packages


def environment(kind: str, packages: dict) -> str:
    """The conda environment of one kind of job: its packages and all that these need, as the lock pins them."""
    wanted, before = set(KINDS[kind]), set()
    while wanted != before:
        before = set(wanted)
        wanted |= {name for name, (_, parents) in packages.items() if parents & wanted}
    lines = [
        "# Written by envs/render.py out of study.lock: change that, then run this again.",
        f"name: fading-{kind}",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    lines += [f'      - "{pin}"' for name in sorted(wanted - {"pip"}) for pin in packages[name][0]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for kind in KINDS:
        (HERE / f"{kind}.yaml").write_text(environment(kind, pins(LOCK.read_text())))
