"""Files of configuration: what is read, and the sentence for what is not."""

import pytest
from fading.errors import FadingError
from fading.plan.reading import check_files, naming, read

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
WRONG = [
    (b"steps: 1\nsteps: 2\n", "line 2, is not readable YAML: steps is given twice; each key is accepted once."),
    (
        b"a:\n  1: x\n",
        "line 2, is not readable YAML: the key 1 is no text; accepted are keys in letters, or in quotes.",
    ),
    (b"on: x\n", "the key on is no text"),
    (b"a:\n  '1': x\n  '1': y\n", "line 3, is not readable YAML: 1 is given twice"),
    (b"steps: 010\n", "line 1, is not readable YAML: found 010, which YAML takes for 8; accepted are plain decimals."),
    (b"steps: 1:50\n", "found 1:50, which YAML takes for 110"),
    (b"rate: 1:50.5\n", "found 1:50.5, which YAML takes for 110.5"),
    (b"steps: 0x10\n", "found 0x10, which YAML takes for 16"),
    (b"steps: 0b11\n", "found 0b11, which YAML takes for 3"),
    (b"steps: 1_000\n", "found 1_000, which YAML takes for 1000"),
    (b"rate: 1_0.5\n", "found 1_0.5, which YAML takes for 10.5"),
    (b"a: 1\n---\nb: 2\n", "line 2, is not readable YAML: but found another document."),
    (b"a: [1\n", "line 2, is not readable YAML: expected ',' or ']', but got '<stream end>'."),
    (b"a:\n\t- 1\n", "line 2, is not readable YAML: found character '\\t' that cannot start any token."),
    (b"\xff\xfe\x00a", "can't be read: 'utf-8' codec can't decode byte 0xff"),
    (b"a: \x07\n", "is not readable YAML: unacceptable character #x0007"),
    (b"a: !!python/object/apply:os.system [true]\n", "could not determine a constructor for the tag"),
    (b"? [a]\n: 1\n", "found unhashable key."),
    (b"a: *b\n", "found undefined alias 'b'."),
    (BOMB.encode(), "aliases make more than 100000 values of it."),
    (b"a: &a [*a]\n", "aliases make more than 100000 values of it."),
    (5000 * b"[", "is not readable YAML: maximum recursion depth exceeded"),
]


@pytest.mark.parametrize(("content", "sentence"), WRONG)
def test_a_file_that_is_not_what_it_looks_is_one_sentence(tmp_path, content, sentence):
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    with pytest.raises(FadingError) as raised:
        read(file)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def test_what_is_no_file_is_one_sentence(tmp_path):
    with pytest.raises(FadingError, match="can't be read: it is no regular file"):
        read(tmp_path)
    with pytest.raises(FadingError, match=r"can't be read: .*No such file"):
        read(tmp_path / "study.yaml")


def test_plain_numbers_aliases_and_merged_mappings_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "numbers: [0, -3, +4, 1.5, .5, 1.5e+3, 2.0e-4, .inf]\n"
        "one: &one {a: 1, b: 2}\nother: {<<: *one, b: 3}\nagain: *one\ntext: '010'\n"
    )
    assert read(tmp_path / "a.yaml") == {
        "numbers": [0, -3, 4, 1.5, 0.5, 1500.0, 2e-4, float("inf")],
        **{"one": {"a": 1, "b": 2}, "other": {"a": 1, "b": 3}, "again": {"a": 1, "b": 2}, "text": "010"},
    }
    (tmp_path / "b.yaml").write_text("# nothing\n")
    assert read(tmp_path / "b.yaml") is None


def test_a_study_is_named_by_one_file(tmp_path):
    for name, study in (("a", "one"), ("b", "two"), ("c", "one")):
        (tmp_path / f"{name}.yaml").write_text(f"study: {study}\n")
    (tmp_path / "claims.yaml").write_text("- claim: a\n")
    assert [file.name for file in naming("one", tmp_path)] == ["a.yaml", "c.yaml"]
    check_files([str(tmp_path / "b.yaml")], "two")
    with pytest.raises(FadingError, match=r"a.yaml and .*c.yaml both have `study: one`; accepted is one of them."):
        check_files([str(tmp_path / "a.yaml")], "one")
