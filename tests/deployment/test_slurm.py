"""The smoke study on a real Slurm of one node, with memory enforced, though one of its jobs is killed."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, clone
from sameness import differences

INSTALLED = Path("/etc/slurm/slurm.conf")
DAEMONS = ("munged", "slurmctld", "slurmd")
OPTIONS = ["--profile", "profiles/slurm", "--configfile", "config/smoke.yaml"]
OPTIONS += ["--slurm-init-seconds-before-status-checks", "5"]  # jobs are shorter than a cluster's are
MEMORY = 16000  # MB of the node
CONFIGURATION = """
ClusterName=fading
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_interval=1,sched_min_interval=100000
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory={memory}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""


@pytest.fixture
def slurm(tmp_path):
    """The environment in which a cluster of this machine alone answers."""
    if absent := [name for name in DAEMONS if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"{', '.join(absent)} not found: install Debian's packages munge and slurm-wlm")
    if os.geteuid():
        pytest.skip("Slurm's daemons are started as root here")
    if INSTALLED.exists():
        pytest.skip(f"{INSTALLED} is of another cluster, and stays as it is")
    INSTALLED.unlink(missing_ok=True)
    folder, free = tmp_path / "slurm", [socket.socket() for _ in range(2)]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    for one in free:
        one.bind(("127.0.0.1", 0))
    controller, node = (one.getsockname()[1] for one in free)
    for one in free:
        one.close()
    values = {"host": socket.gethostname().partition(".")[0], "processors": os.cpu_count(), "memory": MEMORY}
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, controller=controller, node=node, **values))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    folder.chmod(0o755)
    munge = [
        f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in ("key-file", "socket", "seed-file", "pid-file")
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    environment = os.environ | {"PATH": path}
    INSTALLED.parent.mkdir(exist_ok=True)
    INSTALLED.symlink_to(configuration)  # SLURM_CONF does not reach jobs: the executor hides its like from them
    commands = [
        ["munged", "--foreground", "--force", *munge, f"--log-file={folder}/munged.log"],
        ["slurmctld", "-D", "-f", configuration],
        ["slurmd", "-D", "-f", configuration],
    ]
    running = []
    try:
        for command in commands:
            log = (folder / f"{command[0]}.out").open("w")
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(2)
        wait_for(lambda: "idle" in output("sinfo", "--noheader", environment=environment), 60, "the node is not idle")
        yield environment
    finally:
        INSTALLED.unlink()
        for process in reversed(running):
            process.terminate()
            process.wait()


def output(*command: str, environment: dict) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def wait_for(condition, seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(1)


@pytest.mark.slow
@pytest.mark.deployment
def test_a_cluster_makes_the_same_bytes_though_a_job_is_killed(smoke, slurm, tmp_path):
    folder, killed = clone(tmp_path / "clone"), []
    command = [sys.executable, "-m", "snakemake", *OPTIONS]
    clean = {name: value for name, value in slurm.items() if name != "PYTHONPATH"}
    with (tmp_path / "log").open("w") as log:
        study = subprocess.Popen(command, cwd=folder, env=clean, stdout=log, stderr=subprocess.STDOUT)
        while study.poll() is None:
            jobs = output("squeue", "--noheader", "--states=RUNNING", "--format=%i", environment=slurm).split()
            if jobs and not killed:
                killed = jobs[:1]
                subprocess.run(["scancel", "--signal=KILL", "--full", *killed], env=slurm, check=True)
            time.sleep(1)
    said = (tmp_path / "log").read_text()
    assert study.returncode == 0, said[-5000:]
    assert killed
    assert "Trying to restart job" in said
    assert differences(smoke / "results/smoke", folder / "results/smoke") == []


def test_what_does_not_compute_runs_where_snakemake_does():
    named = re.search(r"localrules:\n((?: +\w+,\n)+)", (ROOT / "workflow/Snakefile").read_text())[1]
    local = {name.strip(" ,") for name in named.splitlines()}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"\n(?= *rule\b[^\n]*:\n)", file.read_text()):
            if kind := re.search(r"envs/(\w+).yaml", rule):
                name = re.search(r"\brule (\w*)", rule)
                here = "localrule: True" in rule if name is None or rule.startswith(" ") else name[1] in local
                wanted = kind[1] not in ("torch", "peers") or "rule pretrained" in rule  # which may fetch from the hub
                assert here == wanted, rule
