"""The image of the Dockerfile, built without a daemon on Debian as debootstrap makes it."""

import os
import shutil
import subprocess

import pytest
from conftest import clone

NEEDED = ("buildah", "debootstrap")
BASE = """FROM scratch
ADD debian.tar /
ENV PIP_CERT={trusted} SSL_CERT_FILE={trusted}
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv
"""
HERE, TRUSTED = "/etc/ssl/certs/ca-certificates.crt", "/trusted.crt"  # by this machine: packages may be a mirror's
STORED = ["--storage-driver", "vfs"]
ISOLATED = ["--isolation", "chroot", f"--volume={HERE}:{TRUSTED}:ro"]
MADE = "results/smoke/resnet-fashion/seed-0/batches.safetensors"


@pytest.fixture
def path():
    """Where the programs are that it takes."""
    found = f"{os.environ['PATH']}:/usr/sbin"
    if absent := [name for name in NEEDED if not shutil.which(name, path=found)]:
        pytest.skip(f"{', '.join(absent)} not found: install Debian's packages {' and '.join(NEEDED)}")
    if os.geteuid():
        pytest.skip("debootstrap needs to be root")
    return found


@pytest.mark.slow
@pytest.mark.deployment
def test_an_image_is_built_and_computes(path, tmp_path):
    """On Debian's own Python, whose patch is another than the image's."""

    def ran(*command) -> str:
        environment = os.environ | {"PATH": path}
        return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    folder, debian = clone(tmp_path / "clone"), tmp_path / "debian"
    ran("debootstrap", "--variant=minbase", "bookworm", debian)
    ran("tar", "-C", debian, "-cf", tmp_path / "debian.tar", ".")
    (tmp_path / "base").write_text(BASE.format(trusted=TRUSTED))
    build = ["buildah", *STORED, "bud", *ISOLATED]
    ran(*build, "-t", "localhost/debian:bookworm", "-f", tmp_path / "base", tmp_path)
    ran(*build, "--build-arg", "BASE=localhost/debian:bookworm", "-t", "fading", folder)
    container = ran("buildah", *STORED, "from", "fading").strip()
    within = ["buildah", *STORED, "run", *ISOLATED, container, "--"]
    assert "total" in ran(*within, "snakemake", "-n")
    ran(*within, "snakemake", MADE, "--cores", "1", "--configfile", "config/smoke.yaml")
    assert "rule batches" in ran(*within, "fading", "trace", MADE)
    ran(*within, "python", "-c", "import torch, transformers")
