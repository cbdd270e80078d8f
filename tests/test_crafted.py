"""Files that somebody made to harm whoever looks at them: one sentence each, soon, and in little memory."""

import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pandas as pd
from conftest import ROOT
from fading.artefacts import store
from fading.provenance.audit import BROKEN, audit
from fading.provenance.folder import StudyFolder
from matplotlib.figure import Figure

LINEAGE = {
    **{"path": "a", "rule": "training", "wildcards": {}, "settings": {}, "inputs": {}, "code": {}},
    **{"lock": "0", "versions": {}, "device": "cpu", "threads": 1},
}
DEEP = 100_000 * "[" + 100_000 * "]"
CONTENTS = {
    ".safetensors": lambda: {"a": np.zeros(3)},
    ".parquet": lambda: pd.DataFrame({"a": [1.5]}),
    ".csv": lambda: pd.DataFrame({"a": [1.5]}),
    ".png": lambda: Figure((1, 1)),
    ".svg": lambda: Figure((1, 1)),
}
ILL_TYPED = [
    *((key, value) for key in ("wildcards", "inputs", "code", "versions") for value in (None, 3, [], "a", {"a": 1})),
    *((key, value) for key in ("path", "rule", "lock", "device") for value in (None, 3, [], {})),
    *(("settings", value) for value in (None, 3, [], "a")),
    *(("threads", value) for value in (None, "1", [], 1.5, True)),
    *(("downloads", value) for value in (None, {"a": None})),
    *(("output", value) for value in (None, 1)),
]


def tensors(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def picture(*chunks: tuple[bytes, bytes]) -> bytes:
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def size(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


LAUGHS = "".join(f'<!ENTITY l{n} "{10 * f"&l{n - 1};"}">' for n in range(1, 10))
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><metadata>{}</metadata></svg>'
RAW = {
    "empty.safetensors": b"",
    "short.safetensors": b"\x01",
    "endless.safetensors": tensors(b"{}", length=2**63),
    "no-json.safetensors": tensors(b"none"),
    "list.safetensors": tensors(b"[]"),
    "deep.safetensors": tensors(DEEP.encode()),
    "outside.safetensors": tensors(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
    "huge.safetensors": tensors(b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}', b"0000"),
    "kind.safetensors": tensors(b'{"a":{"dtype":"X","shape":[1],"data_offsets":[0,4]}}', b"0000"),
    "metadata.safetensors": tensors(b'{"__metadata__":{"fading":3}}'),
    "no-lineage.safetensors": tensors(b'{"__metadata__":{"fading":"{}"}}'),
    "deep-lineage.safetensors": tensors(json.dumps({"__metadata__": {"fading": DEEP}}).encode()),
    "empty.parquet": b"",
    "magic.parquet": b"PAR1PAR1",
    "footer.parquet": b"PAR1" + 20 * b"\xff" + struct.pack("<I", 20) + b"PAR1",
    "endless.parquet": b"PAR1" + struct.pack("<I", 2**31) + b"PAR1",
    "empty.png": b"",
    "no-chunk.png": picture(),
    "bomb.png": picture(size(60_000, 60_000), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b"")),
    "text-bomb.png": picture(size(1, 1), (b"zTXt", b"fading\0\0" + zlib.compress(bytes(2 * 10**8), 9)), (b"IEND", b"")),
    "escape.png": picture(size(1, 1), (b"tEXt", b'fading\0{"a": "\x1b[2J"}'), (b"IEND", b"")),
    "empty.svg": b"",
    "no-xml.svg": b"<svg",
    "laughs.svg": f'<!DOCTYPE svg [<!ENTITY l0 "ha">{LAUGHS}]>{SVG.format("&l9;")}'.encode(),
    "elsewhere.svg": f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>{SVG.format("&e;")}'.encode(),
    "deep.svg": (100_000 * "<g>" + 100_000 * "</g>").encode(),
    "alone.csv": b"a\n1\n",
    "none.txt": b"none",
}
BESIDE = {  # what stands beside a table of this name
    "empty.csv": b"",
    "no-json.csv": b"{",
    "list.csv": b"[]",
    "bytes.csv": b"\xff\xfe",
    "deep.csv": DEEP.encode(),
    "digest.csv": json.dumps(LINEAGE | {"digest": 3}).encode(),
    "no-digest.csv": json.dumps(LINEAGE).encode(),
}
CRATES = {
    "empty": b"",
    "bytes": b"\xff\xfe",
    "list": b"[]",
    "no graph": b"{}",
    "text for a graph": b'{"@graph": "a"}',
    "numbers for entities": b'{"@graph": [1, 2]}',
    "no identifier": b'{"@graph": [{"@id": "ro-crate-metadata.json", "@type": "CreativeWork"}]}',
    "a number for it": b'{"@graph": [{"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "identifier": 3}]}',
    "deep": DEEP.encode(),
}
LOOK = """
import contextlib, io, json, resource, sys, time
from fading.cli.main import main
for arguments in json.load(sys.stdin):
    sys.argv, start = ["fading", *arguments], time.process_time()
    said, printed = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(printed):
        status = main()
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([status, said.buffer.getvalue().decode(), seconds, peak]))
"""


def looked_at(commands: list[list[str]]) -> list[tuple[int, str, float, int]]:
    """Each command's exit status, its standard error, its processor seconds, and the process's KiB until then."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=ROOT / "workflow/scripts",
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_a_crafted_file_is_one_sentence_soon_and_in_little_memory(tmp_path):
    for name, content in RAW.items():
        (tmp_path / name).write_bytes(content)
    for name, content in BESIDE.items():
        (tmp_path / name).write_text("a\n1\n")
        (tmp_path / f"{name}.json").write_bytes(content)
    for number, (key, value) in enumerate(ILL_TYPED):
        for suffix, content in CONTENTS.items() if number < 3 else [(".parquet", CONTENTS[".parquet"])]:
            store.write(tmp_path / f"typed-{number}{suffix}", content(), LINEAGE | {key: value})
    files = sorted(file for file in tmp_path.iterdir() if not file.name.endswith(".csv.json"))
    (tmp_path / "good.parquet").write_bytes(b"")
    store.write(tmp_path / "good.parquet", CONTENTS[".parquet"](), LINEAGE)
    (_, _, _, before), *found = looked_at([["trace", str(file)] for file in (tmp_path / "good.parquet", *files)])
    assert len(found) >= 60
    for file, (status, said, seconds, peak) in zip(files, found, strict=True):
        assert status == (0 if file.name in ("digest.csv", "no-digest.csv") else 3), (file.name, said)
        assert len(said.splitlines()) == (status > 0), (file.name, said)
        assert "\x1b" not in said
        assert "a defect of ours" not in said, (file.name, said)
        assert seconds < 5, file.name
        assert peak - before < 200 * 1024, file.name


def test_a_crafted_crate_is_broken_and_a_crafted_list_is_a_sentence(tmp_path):
    study = tmp_path / "results/mine"
    study.mkdir(parents=True)
    (tmp_path / "config").mkdir()
    (tmp_path / "Snakefile").touch()
    for name in ("config", "smoke"):
        text = (ROOT / f"config/{name}.yaml").read_text()
        (tmp_path / f"config/{name}.yaml").write_text(text.replace("study: smoke", "study: mine"))
    for name, content in CRATES.items():
        (study / "ro-crate-metadata.json").write_bytes(content)
        (finding,) = (one for one in audit(StudyFolder(study)) if one.file.endswith("ro-crate-metadata.json"))
        assert finding.severity == BROKEN, name
        assert "is not a readable crate" in finding.remarks[0], name
    for content in (b"{", b"[]", b'{"a": 3}', b"\xff", DEEP.encode()):
        (tmp_path / "left-out.json").write_bytes(content)
        ((status, said, _, _),) = looked_at([["audit", str(study)]])
        assert status == 3, content[:20]
        assert "left-out.json" in said or "a: found 3" in said
        assert len(said.splitlines()) == 1
