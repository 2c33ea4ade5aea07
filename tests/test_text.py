"""Characters come with their provenance and vocabulary, or with a clear refusal."""

import hashlib
import os

import numpy as np
import pytest

from experiments.data import archives, search, text
from experiments.data.archives import DataError
from experiments.data.text import decoded, load_text, rows


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No cache, no variables, nothing beside the checkout."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EAPU_JAX_DATA", raising=False)
    monkeypatch.setattr(search, "__file__", str(tmp_path / "a/b/c/d/search.py"))


def put(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tinyshakespeare.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


PLAY = "".join(f"{n}. To be, or not to be: that is the question\n" for n in range(60))


def test_a_text_comes_back_as_it_was(tmp_path):
    put(tmp_path, PLAY)
    found = load_text("tinyshakespeare", folder=tmp_path)
    codes = np.concatenate([found.train, found.validation])
    assert decoded(found.vocabulary, codes) == PLAY
    assert len(found.validation) == len(PLAY) // 10
    assert found.vocabulary == "".join(sorted(set(PLAY)))
    assert codes.dtype == np.uint8
    assert found.sha256 == hashlib.sha256(PLAY.encode()).hexdigest()
    assert "public domain" in found.provenance
    assert found.sha256[:12] in found.provenance


def test_the_folder_wins_then_the_variable_then_the_cache_then_beside(
    tmp_path, monkeypatch
):
    places = [tmp_path / p for p in ("mine", "env", "cache/eapu_jax", "a/shared/data")]
    for n, place in enumerate(places):
        put(place, PLAY + str(n))
    monkeypatch.setenv("EAPU_JAX_DATA", str(places[1]))
    last = [load_text("tinyshakespeare", folder=places[0])]
    last.append(load_text("tinyshakespeare"))
    monkeypatch.delenv("EAPU_JAX_DATA")
    last.append(load_text("tinyshakespeare"))
    (places[2] / "tinyshakespeare.txt").unlink()
    last.append(load_text("tinyshakespeare"))
    ends = "".join(decoded(t.vocabulary, t.validation[-1:]) for t in last)
    assert ends == "0123"


def test_help_texts_serve_where_there_is_no_file():
    own, other = load_text("pydoc"), load_text("tinyshakespeare")
    assert own.sha256 == other.sha256
    assert other.provenance.startswith("Python's help texts")
    assert "in place of tiny Shakespeare" in other.provenance
    assert 3e5 < len(own.train) < 1e6
    assert "The" in decoded(own.vocabulary, own.validation)


def test_what_stands_in_is_a_warning_that_names_the_file_and_its_place(caplog):
    load_text("pydoc")
    assert caplog.text == ""
    load_text("tinyshakespeare")
    (said,) = caplog.messages
    assert said.startswith("tinyshakespeare: not found anywhere; what serves is Python")
    assert "until tinyshakespeare.txt lies in the folder that EAPU_JAX_DATA" in said


def test_a_download_goes_before_what_stands_in(tmp_path, monkeypatch, caplog):
    path = put(tmp_path / "far", PLAY)
    digest = hashlib.sha256(PLAY.encode()).hexdigest()
    address = f"{path.as_uri()}#sha256={digest}"
    monkeypatch.setenv("EAPU_JAX_URL_TINYSHAKESPEARE", address)
    assert load_text("tinyshakespeare").sha256 == digest
    assert caplog.text == ""


def test_without_help_texts_there_is_a_stand_in(monkeypatch):
    monkeypatch.setattr(text, "_help_texts", lambda name: None)
    one, again = load_text("tinyshakespeare"), load_text("tinyshakespeare")
    assert one.provenance.startswith("STAND-IN for tiny Shakespeare: procedural")
    assert one.sha256 == again.sha256
    assert len(one.train) > 1e5


def test_every_character_but_the_first_is_said_once():
    codes = np.random.default_rng(0).integers(0, 65, 1000).astype(np.uint8)
    for context in (1, 7, 64, 999):
        found = rows(codes, context)
        assert found.dtype == np.int32
        said = found[:, 1:].ravel()
        np.testing.assert_array_equal(said, codes[1 : 1 + len(said)])
        np.testing.assert_array_equal(found[:, :-1].ravel(), codes[: len(said)])
        assert len(codes) - 1 - len(said) < context


@pytest.mark.parametrize("context", [0, -1, 10])
def test_rows_longer_than_the_text_are_refused(context):
    with pytest.raises(ValueError, match=f"context = {context}: must be 1 to 9"):
        rows(np.arange(10), context)


def test_a_few_unseen_characters_are_read_as_one_and_said(tmp_path):
    long = PLAY.replace("question", "question?") * 5
    put(tmp_path, long[:-1] + "§")
    found = load_text("tinyshakespeare", folder=tmp_path)
    assert "§" not in found.vocabulary
    assert decoded(found.vocabulary, found.validation[-1:]) == "?"
    assert "(1 others held out, read as '?')" in found.provenance


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds 0 characters, 1000 are needed"),
        (PLAY[:999], "holds 999 characters"),
        (PLAY.encode() + b"\n\xff\xfe", "line 62 is no UTF-8 text"),
        (PLAY + "\0" + PLAY, "line 61 holds binary data"),
        ("".join(map(chr, range(32, 1400))), "1368 kinds of characters, at most 256"),
        (PLAY + "§" * 50, r"50 characters that come nowhere before \('§'\)"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path, content, message):
    put(tmp_path, content)
    with pytest.raises(DataError, match=rf"tinyshakespeare\.txt: .*{message}"):
        load_text("tinyshakespeare", folder=tmp_path)


def test_what_is_no_file_or_too_large_is_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "tinyshakespeare.txt")
    with pytest.raises(DataError, match="is no ordinary file"):
        load_text("tinyshakespeare", folder=tmp_path)
    (tmp_path / "tinyshakespeare.txt").unlink()
    put(tmp_path, PLAY)
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match=r"txt: must be at most 1000 bytes, got"):
        load_text("tinyshakespeare", folder=tmp_path)


def test_bad_requests_are_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown text 'shakespeare': one of tiny"):
        load_text("shakespeare")
    with pytest.raises(ValueError, match="folder = '/nowhere' is not a folder"):
        load_text("pydoc", folder="/nowhere")
