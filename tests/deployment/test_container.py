"""The image of the Dockerfile, built without a daemon on Debian as debootstrap makes it."""

import os
import shutil
import subprocess

import pytest
from conftest import clone

NEEDED = ("buildah", "debootstrap")
BASE = """FROM scratch
ADD debian.tar /
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv
"""


@pytest.mark.slow
@pytest.mark.deployment
def test_an_image_is_built_and_plans_the_study(tmp_path):
    if absent := [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"{', '.join(absent)} not found: install Debian's packages {' and '.join(NEEDED)}")
    if os.geteuid():
        pytest.skip("debootstrap needs to be root")
    folder, debian = clone(tmp_path / "clone"), tmp_path / "debian"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", debian], check=True)
    subprocess.run(["tar", "-C", debian, "-cf", tmp_path / "debian.tar", "."], check=True)
    (tmp_path / "base").write_text(BASE)
    isolated = ["--isolation", "chroot", "--storage-driver", "vfs"]
    build = ["buildah", *isolated[2:], "bud", *isolated[:2]]
    subprocess.run([*build, "-t", "localhost/debian:bookworm", "-f", tmp_path / "base", tmp_path], check=True)
    # Where packages come from here is this machine's own: pip's and apt's settings go in as they are.
    settings = [
        f"--volume={file}:{file}:ro" for file in ("/etc/pip.conf", "/etc/uv", "/etc/apt") if os.path.exists(file)
    ]
    command = [*build, *settings, "--build-arg", "BASE=localhost/debian:bookworm", "-t", "fading", folder]
    subprocess.run(command, check=True)
    made = subprocess.run(["buildah", *isolated[2:], "from", "fading"], check=True, capture_output=True, text=True)
    run = ["buildah", *isolated[2:], "run", *isolated[:2], made.stdout.strip(), "--", "snakemake", "-n"]
    assert "total" in subprocess.run(run, check=True, capture_output=True, text=True).stdout
