"""What is fetched is what is pinned, or nothing."""

import hashlib

import pytest
from fading.data import downloads, minilm
from fading.data.downloads import fetched, hub_address, verify
from fading.errors import FadingError
from serving import served


@pytest.fixture
def once(monkeypatch):
    """No second try."""
    monkeypatch.setattr(downloads, "RETRIES", 0)


def test_a_wrong_hash_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FadingError, match=r"config.json has sha256 44136f.* where 953f9c.* is pinned"):
        verify(tmp_path / "config.json", minilm.PINS)
    with pytest.raises(FadingError, match="tokenizer.json is missing"):
        verify(tmp_path / "tokenizer.json", minilm.PINS)


def test_what_is_fetched_has_the_bytes_that_are_pinned(tmp_path):
    (tmp_path / "some").write_bytes(b"some")
    pins = {"folder/some": hashlib.sha256(b"some").hexdigest()}
    with served(tmp_path) as address:
        path = fetched(f"{address}/some", "folder/some", pins, tmp_path / "kept")
    assert path == tmp_path / "kept/folder/some"
    assert path.read_bytes() == b"some"


def test_other_bytes_are_refused_and_not_kept(tmp_path, once):
    (tmp_path / "some").write_bytes(b"other")
    with served(tmp_path) as address, pytest.raises(FadingError) as raised:
        fetched(f"{address}/some", "some", {"some": hashlib.sha256(b"some").hexdigest()}, tmp_path / "kept")
    assert f"{address}/some has another sha256 than a6b46dd0" in str(raised.value)
    assert list((tmp_path / "kept").rglob("*")) == []


def test_a_server_that_has_nothing_or_is_none_is_a_sentence(tmp_path, once):
    with served(tmp_path) as address, pytest.raises(FadingError, match=r"/some could not be fetched \(404.*nothing"):
        fetched(f"{address}/some", "some", {"some": "0" * 64}, tmp_path / "kept")
    with pytest.raises(FadingError, match=r"could not be fetched \(.*\); nothing was kept, run again") as raised:
        fetched(f"{address}/some", "some", {"some": "0" * 64}, tmp_path / "kept")
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "kept").rglob("*")) == []


def test_it_is_tried_again(tmp_path, monkeypatch):
    (tmp_path / "some").write_bytes(b"some")
    monkeypatch.setattr("time.sleep", lambda seconds: (tmp_path / "late").rename(tmp_path / "some"))
    (tmp_path / "some").rename(tmp_path / "late")
    with served(tmp_path) as address:
        path = fetched(f"{address}/some", "some", {"some": hashlib.sha256(b"some").hexdigest()}, tmp_path / "kept")
    assert path.read_bytes() == b"some"


def test_files_of_the_hub_are_of_one_revision():
    address = hub_address("owner/name", "0" * 40, "folder/train.parquet")
    assert address.endswith(f"/datasets/owner/name/resolve/{'0' * 40}/folder/train.parquet")
