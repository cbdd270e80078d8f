"""Signatures of archives, by OpenSSH's keys: they say who published, which no digest does."""

import shutil
import subprocess
from pathlib import Path

from fading.errors import FadingError

NAMESPACE = "fading"  # a signature for another purpose does not do


def signature(archive: Path) -> Path:
    """Where the signature of an archive stands."""
    return archive.with_name(f"{archive.name}.sig")


def sign(archive: Path, key: Path) -> None:
    """Write an archive's signature by a private key, or by the public one of a key that an agent holds.

    Raises FadingError if it can't be.
    """
    signature(archive).unlink(missing_ok=True)  # ssh-keygen would ask
    _ssh_keygen("sign", "-f", key, "-n", NAMESPACE, archive, refused=f"{archive} can't be signed with {key}")


def verify(archive: Path, signers: Path) -> str:
    """Who signed an archive, by a file of allowed signers, a name and a public key a line (ssh-keygen(1)).

    Raises FadingError if none of them did, or not the archive as it is.
    """
    for file in (archive, signature(archive), signers):
        if not file.is_file():
            raise FadingError(f"{file} is no file; needed are an archive, its signature beside it and allowed signers.")
    proof, refused = signature(archive), f"{archive} is not as one of {signers} signed it"
    found = _ssh_keygen("find-principals", "-s", proof, "-f", signers, refused=refused)
    who = found.splitlines()[0]
    with archive.open("rb") as content:
        named = ("-f", signers, "-I", who, "-n", NAMESPACE, "-s", proof)
        _ssh_keygen("verify", *named, refused=refused, stdin=content)
    return who


def _ssh_keygen(action, *arguments, refused, stdin=subprocess.DEVNULL):
    if not shutil.which("ssh-keygen"):
        raise FadingError(f"{refused}: there is no ssh-keygen here, which OpenSSH brings.")
    command = ["ssh-keygen", "-Y", action, *map(str, arguments)]
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        *_, reason = ["no reason given", *(done.stderr + done.stdout).strip().splitlines()]
        raise FadingError(f"{refused}: {reason.strip()}.")
    return done.stdout
