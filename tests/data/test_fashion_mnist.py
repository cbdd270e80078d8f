"""Fashion-MNIST's sources, none of which is trusted."""

import gzip

import pytest
from fading.data import fashion_mnist
from fading.errors import FadingError


def fake(folder, damage):
    folder.mkdir()
    for name in fashion_mnist.PINS:
        packed = gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x02ab" * 50)
        (folder / f"{name}.gz").write_bytes(damage(packed))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda packed: packed, "where c59f46.* is pinned"),
        (lambda packed: packed[:-10], "ended before"),
        (lambda packed: packed[:12] + b"\xff" * 20, "Debian's package as installed: "),
    ],
)
def test_another_or_half_a_fashion_mnist_is_refused_and_the_next_source_tried(tmp_path, monkeypatch, damage, sentence):
    def offline(scratch, progress):
        """the network"""
        raise OSError("no route")

    fake(tmp_path / "debian", damage)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "_from_mirrors", offline)
    monkeypatch.setattr(fashion_mnist, "_from_debian", offline)
    with pytest.raises(FadingError, match=sentence) as raised:
        fashion_mnist.fetch(iter)
    assert str(raised.value).count("the network: no route") == 2
    assert "\n" not in str(raised.value)
