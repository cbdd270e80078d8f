"""Kill, interrupt and starve the smoke study while it runs, run it again, and compare every artefact.

    python tests/faults.py --kills 20 --seed 0

Each time one of the faults strikes at a random moment; the next run is the same command, without any other in between.
At the end what was made is compared, byte for byte, with a run that nothing disturbed.
"""

import argparse
import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
from conftest import clone, outside
from sameness import differences
from tqdm import tqdm

COMMAND = [sys.executable, "-m", "snakemake", "--configfile", "config/smoke.yaml", "--cores", "2"]
MOMENTS = 0, 15  # seconds after the first job of a run starts
AGAIN = 60  # seconds to wait for those who outlive their run


def start(folder: Path, *targets: str) -> subprocess.Popen:
    """A run in a session of its own."""
    with (folder / "log").open("a") as log:
        return subprocess.Popen(
            [*COMMAND, *targets], cwd=folder, env=outside(), stdout=log, stderr=log, start_new_session=True
        )


def processes(run: subprocess.Popen) -> list[psutil.Process]:
    """What lives of a run: its session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == run.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def jobs(run: subprocess.Popen) -> dict[int, int]:
    """The processes of a run's scripts, with the memory that each holds."""
    found = {}
    for process in processes(run):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(".snakemake/scripts/" in part for part in process.cmdline()):
                found[process.pid] = process.memory_info().rss
    return found


def everything(run: subprocess.Popen, folder: Path) -> bool:
    """All at once, as when the power goes."""
    return killed(run, signal.SIGKILL)


def a_job(run: subprocess.Popen, folder: Path) -> bool:
    """The kernel wants memory, and takes the process that has most."""
    sizes = jobs(run)
    return bool(sizes) and stop(max(sizes, key=sizes.get), signal.SIGKILL)


def snakemake(run: subprocess.Popen, folder: Path) -> bool:
    """Snakemake is killed, and its jobs go on."""
    return stop(run.pid, signal.SIGKILL)


def terminated(run: subprocess.Popen, folder: Path) -> bool:
    """The machine is taken away, with notice."""
    return killed(run, signal.SIGTERM)


def interrupted(run: subprocess.Popen, folder: Path) -> bool:
    """Somebody has seen enough."""
    return stop(run.pid, signal.SIGINT)


def a_file(run: subprocess.Popen, folder: Path) -> bool:
    """A finished artefact is deleted."""
    made = sorted((folder / "results/smoke").rglob("*.safetensors"))
    if made:
        random.choice(made).unlink(missing_ok=True)
    return bool(made)


def a_full_disk(run: subprocess.Popen, folder: Path) -> bool:
    """No file may grow any more: said to the run's processes, since a disk of one's own takes a right to mount."""
    return sum(limited(process) for process in processes(run)) > 0


def limited(process: psutil.Process) -> bool:
    """No file that a process writes, or those that it starts from now on, may grow; was it there to be told?"""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        return True
    return False


FAULTS: dict[str, Callable[[subprocess.Popen, Path], bool]] = {  # each says whether there was something to strike
    fault.__name__: fault for fault in (everything, a_job, snakemake, terminated, interrupted, a_file, a_full_disk)
}


def stop(pid: int, how: signal.Signals) -> bool:
    """Was it there to be stopped?"""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
        return True
    return False


def killed(run: subprocess.Popen, how: signal.Signals) -> bool:
    """The same of a whole run."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, how)
        return True
    return False


def ended(run: subprocess.Popen, seconds: float) -> bool:
    """Wait for a run and all of its jobs; False if some are left."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run.poll()
        if not processes(run):
            return True
        time.sleep(0.2)
    return False


def campaign(folder: Path, undisturbed: Path, faults: list[str], seed: int, *targets: str) -> tuple[Counter, list[str]]:
    """Strike a study in `folder`, or what `targets` name of it, by the named faults, one a run, and finish it.

    Returns how often each struck, and the artefacts that differ from the undisturbed study's. Raises AssertionError if
    a run does not go on by itself.
    """
    generator, struck = random.Random(seed), Counter()
    for name in tqdm(faults, desc="faults"):
        run = start(folder, *targets)
        while run.poll() is None and not jobs(run):
            time.sleep(0.1)
        try:
            run.wait(generator.uniform(*MOMENTS))
            assert run.returncode == 0, (folder / "log").read_text()[-5000:]
            break  # nothing is left to disturb
        except subprocess.TimeoutExpired:
            while not (hit := FAULTS[name](run, folder)) and run.poll() is None:
                time.sleep(0.1)  # between two jobs there may be nothing to strike
            struck[name] += hit
        assert ended(run, AGAIN * 10), f"after {name} a run goes on for ten minutes"
    last = start(folder, *targets)
    last.wait()
    assert last.returncode == 0, (folder / "log").read_text()[-5000:]
    return struck, differences(undisturbed / "results/smoke", folder / "results/smoke")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how many runs are struck (20)")
    parser.add_argument("--seed", type=int, default=0, help="of moments and faults (0)")
    arguments = parser.parse_args()
    names = list(FAULTS) * (arguments.kills // len(FAULTS) + 1)
    faults = random.Random(arguments.seed).sample(names, arguments.kills)
    with tempfile.TemporaryDirectory() as folder:
        calm = clone(Path(folder, "calm"))
        subprocess.run(COMMAND, cwd=calm, env=outside(), check=True, capture_output=True)
        struck, differing = campaign(clone(Path(folder, "struck")), calm, faults, arguments.seed)
        artefacts = sum(file.is_file() for file in (calm / "results/smoke").rglob("*"))
    print(f"{sum(struck.values())} faults: {', '.join(f'{count} {name}' for name, count in struck.items())}")
    print(f"{artefacts} files compared, {len(differing)} differ", *differing, sep="\n")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
