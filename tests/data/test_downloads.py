"""What is fetched is what is pinned, or nothing."""

import pytest
from fading.data import minilm
from fading.data.downloads import verify
from fading.errors import FadingError


def test_a_wrong_hash_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FadingError, match=r"config.json has sha256 44136f.* where 953f9c.* is pinned"):
        verify(tmp_path / "config.json", minilm.PINS)
    with pytest.raises(FadingError, match="tokenizer.json is missing"):
        verify(tmp_path / "tokenizer.json", minilm.PINS)
