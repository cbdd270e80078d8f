"""A server of a folder on this machine, in the place of those that datasets are fetched from, and an archive for it."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the folder while it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def packed(path: Path, records: dict[str, np.ndarray]) -> str:
    """Write CIFAR-10's archive of records (n, 3073), a file of each name; its sha256."""
    with tarfile.open(path, "w:gz") as archive:
        for file, rows in records.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{file}")
            entry.size = rows.nbytes
            archive.addfile(entry, io.BytesIO(rows.tobytes()))
    return hashlib.sha256(path.read_bytes()).hexdigest()
