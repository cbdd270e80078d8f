"""What jobs find in their environment, whoever starts them. No result depends on it."""

import os
from pathlib import Path

# Blocks of megabytes are kept for the next and lie on large pages: without that, the system's pages cost a quarter of
# the time of many Hessian products.
ALLOCATION = {"hugetlb": 1, "mmap_threshold": 2**33, "trim_threshold": 2**33, "top_pad": 2**26}


def surroundings(scripts: Path) -> dict[str, str]:
    """Environment variables by name: jobs run the library below `scripts`, and none loads a model from a hub.

    Text is UTF-8, whatever the locale. What is on PYTHONPATH comes after that library, and GLIBC_TUNABLES stays where
    it is set.
    """
    found = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    allocation = ":".join(f"glibc.malloc.{name}={value}" for name, value in ALLOCATION.items())
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(scripts), *found])),
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",
        "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", allocation),
    }
