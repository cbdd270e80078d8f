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
from conftest import ROOT, clone, outside
from rules import rules
from sameness import differences

INSTALLED = Path("/etc/slurm/slurm.conf")
DAEMONS = ("munged", "slurmctld", "slurmd")
OPTIONS = ["--profile", "profiles/slurm", "--configfile", "config/smoke.yaml"]
OPTIONS += ["--slurm-init-seconds-before-status-checks", "5"]  # jobs are shorter than a cluster's are
AT_MOST = 3600  # seconds
CONFIGURATION = """
ClusterName=fading
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
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
KillWait=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_interval=1,sched_min_interval=100000
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory={memory}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1
PartitionName=first Nodes=ALL MaxTime=INFINITE PriorityTier=2
"""


@pytest.fixture
def slurm(tmp_path):
    """The environment in which a cluster of this machine alone answers."""
    if absent := [name for name in DAEMONS if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"{', '.join(absent)} not found: install Debian's packages munge and slurm-wlm")
    if os.geteuid():
        pytest.skip("Slurm's daemons are started as root here")
    if INSTALLED.exists() or INSTALLED.is_symlink():
        pytest.skip(f"{INSTALLED} is of another cluster, and stays as it is")
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, **this_machine()))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    folder.chmod(0o755)
    munge = [
        f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in ("key-file", "socket", "seed-file", "pid-file")
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    environment = outside(PATH=path)
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
        wait_for(lambda: "idle" in said(environment, "sinfo", "--noheader"), 60, "the node is not idle")
        yield environment
        said(environment, "scancel", "--user=root")
    finally:
        INSTALLED.unlink()
        for process in reversed(running):
            process.terminate()
            process.wait(60)


def this_machine() -> dict:
    """Its name, two free ports, its processors and its memory in MB."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        ports = {"controller": one.getsockname()[1], "node": other.getsockname()[1]}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6
    name = socket.gethostname().partition(".")[0]
    return {"host": name, "processors": os.cpu_count(), "memory": memory * 3 // 4, **ports}


def said(environment: dict, *command: str) -> str:
    """What a command printed, whether it failed or not."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def running(environment: dict) -> list[str]:
    """The jobs that run, the longest first."""
    listed = ("squeue", "--noheader", "--states=RUNNING", "--sort=-M", "--format=%i")
    return said(environment, *listed).split()


def wait_for(condition, seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(1)


@pytest.mark.slow
@pytest.mark.deployment
def test_a_cluster_makes_the_same_bytes_though_jobs_are_killed_and_preempted(smoke, slurm, tmp_path):
    greedy = "import time; taken = bytearray(2**30); time.sleep(600)"
    started = time.monotonic()
    assert subprocess.run(["srun", "--mem=64", sys.executable, "-c", greedy], env=slurm, check=False).returncode
    assert time.monotonic() - started < 300, "memory is not enforced"
    folder, log = clone(tmp_path / "clone"), tmp_path / "log"
    command = [sys.executable, "-m", "snakemake", *OPTIONS]
    with log.open("w") as written:
        study = subprocess.Popen(command, cwd=folder, env=slurm, stdout=written, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: running(slurm), 600, "no job runs")
        said(slurm, "scancel", "--signal=KILL", "--full", running(slurm)[0])
        wait_for(lambda: "Trying to restart job" in log.read_text(), 120, "a killed job is not sent again")
        wait_for(lambda: running(slurm), 600, "no job runs")
        preempted = running(slurm)
        said(slurm, "srun", "--partition=first", "--exclusive", "true")
        shown = [said(slurm, "scontrol", "show", "job", job) for job in preempted]
        assert any("Restarts=1" in job for job in shown), shown
        study.wait(AT_MOST)
    finally:
        study.kill()
    assert study.returncode == 0, log.read_text()[-5000:]
    assert differences(smoke / "results/smoke", folder / "results/smoke") == []


def test_what_does_not_compute_runs_where_snakemake_does():
    named = re.search(r"localrules:\n((?: +\w+,\n)+)", (ROOT / "workflow/Snakefile").read_text())[1]
    local = {name.strip(" ,") for name in named.splitlines()}
    for rule in rules():
        computes = rule.kind in ("torch", "peers") and rule.name != "pretrained"  # which may fetch from the hub
        assert computes != (rule.name in local or "localrule: True" in rule.text), rule.name
