"""English as characters, with its provenance, from the nearest source that has it.

The order of the sources is that of `experiments.data.search`: `tinyshakespeare.txt` in
a folder or a download; in its place the help texts in Python itself
(`pydoc_data.topics`, about 465,000 characters), or words made up by a program. "pydoc"
is the help texts alone.

The last tenth is held out. The vocabulary is that of the rest, in order of its code
points; what the last tenth has besides is read as one character and said.
"""

import importlib.util
import platform
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.data import search
from experiments.data.archives import DataError, advice, require_size, sha256
from experiments.results.store import read_file

__all__ = ["TEXTS", "Text", "decoded", "load_text", "rows"]

HELD_OUT = 10
"""One part in so many, the last, is for validation."""
FEWEST = 1_000
"""Characters of a text from which anything is learnt."""
MOST_KINDS = 256
"""Distinct characters: more is no alphabet."""
MOST_UNSEEN = 1e-3
"""Part of the validation that may be outside the vocabulary."""
UNSEEN = "?"
"""What it is read as, where the vocabulary has it; otherwise its first character."""


class _About(NamedTuple):
    title: str
    licence: str
    files: tuple[str, ...] = ()


TEXTS: dict[str, _About] = {
    "tinyshakespeare": _About(
        "tiny Shakespeare", "public domain", ("tinyshakespeare.txt",)
    ),
    "pydoc": _About("Python's help texts", "PSF-2.0"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Text:
    """A text to learn from and one to be judged by, as places in the vocabulary.

    Attributes:
        vocabulary: the characters, sorted.
        train: `(n,)` uint8.
        validation: `(m,)` uint8: what follows.
        provenance: name, version, sha256 and licence, fit for a caption.
        sha256: full digest of the text as UTF-8.
    """

    vocabulary: str
    train: np.ndarray
    validation: np.ndarray
    provenance: str
    sha256: str


def load_text(name: str, *, folder: str | Path | None = None) -> Text:
    """Load a text as characters.

    Args:
        name: "tinyshakespeare", or "pydoc" (the same for all with one Python).
        folder: where to look first; by default `EAPU_JAX_DATA`.

    Raises:
        ValueError: if the name is unknown or `folder` does not exist.
        DataError: if the file is too large or too short, is no UTF-8, has more than
            256 kinds of characters, or ends in other characters than it begins with.

    Example:
        >>> text = load_text("pydoc")
        >>> decoded(text.vocabulary, text.train[:12])
        'The "assert"'
    """
    if not isinstance(name, str) or name not in TEXTS:
        known = ", ".join(TEXTS)
        raise ValueError(f"name: unknown text {name!r}: one of {known}")
    about = TEXTS[name]
    title, written = search.nearest(
        search.Sought(name, about.files),
        search.chosen_folder(folder),
        lambda path: (f"{about.title} ({path.name}, {about.licence})", _read(path)),
        lambda: None if about.files else _help_texts(name),
        lambda: _help_texts(name) or _made_up(name),
    )
    return _split(title, written)


def rows(codes: np.ndarray, context: int) -> np.ndarray:
    """Rows of `context + 1` characters that share their ends; the rest is left out.

    A row without its last character is what is seen, without its first what is to be
    said: every character but the first of all is said once.

    Args:
        codes: `(n,)`, of a `Text`.
        context: characters seen at most, 1 to n - 1.

    Returns:
        `((n - 1) // context, context + 1)` int32.

    Raises:
        ValueError: if the text has fewer characters.

    Example:
        >>> rows(np.arange(8, dtype=np.uint8), 3).tolist()
        [[0, 1, 2, 3], [3, 4, 5, 6]]
    """
    if not 1 <= context < len(codes):
        raise ValueError(f"context = {context!r}: must be 1 to {len(codes) - 1}")
    starts = context * np.arange((len(codes) - 1) // context)
    return codes[starts[:, None] + np.arange(context + 1)].astype(np.int32)


def decoded(vocabulary: str, codes: np.ndarray) -> str:
    """The characters again.

    Example:
        >>> decoded(" abc", np.array([1, 2, 0, 3]))
        'ab c'
    """
    return "".join(vocabulary[code] for code in codes)


def _read(path: Path) -> str:
    try:
        written = read_file(require_size(path)).decode("utf-8")
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        raise DataError(advice(path, f"line {line} is no UTF-8 text")) from None
    except OSError as e:
        raise DataError(advice(path, str(e))) from e
    if problem := _problem(written):
        raise DataError(advice(path, problem))
    return written


def _problem(written: str) -> str | None:
    """Why this is no text to learn from."""
    if len(written) < FEWEST:
        return f"holds {len(written)} characters, {FEWEST} are needed"
    if "\0" in written:
        line = written[: written.index("\0")].count("\n") + 1
        return f"line {line} holds binary data, not text"
    if (kinds := len(set(written))) > MOST_KINDS:
        return f"holds {kinds} kinds of characters, at most {MOST_KINDS} are read"
    unseen, held_out = _unseen(written), len(written) // HELD_OUT
    if sum(unseen.values()) > MOST_UNSEEN * held_out:
        return (
            f"its last tenth holds {sum(unseen.values())} characters that come nowhere "
            f"before ({''.join(sorted(unseen))[:20]!r}), at most {MOST_UNSEEN:g} of "
            f"{held_out} may be"
        )
    return None


def _unseen(written: str) -> Counter[str]:
    """Characters of the last tenth that come nowhere before."""
    at = len(written) - len(written) // HELD_OUT
    seen = set(written[:at])
    return Counter(c for c in written[at:] if c not in seen)


def _split(title: str, written: str) -> Text:
    at = len(written) - len(written) // HELD_OUT
    vocabulary = "".join(sorted(set(written[:at])))
    place = {c: n for n, c in enumerate(vocabulary)}
    other = place.get(UNSEEN, 0)
    codes = np.array([place.get(c, other) for c in written], np.uint8)
    digest = sha256(written.encode())
    said = f"{title}, {at:,} + {len(written) - at:,} characters of {len(vocabulary)}"
    if few := sum(_unseen(written).values()):
        said += f" ({few} others held out, read as {vocabulary[other]!r})"
    return Text(
        vocabulary=vocabulary,
        train=codes[:at],
        validation=codes[at:],
        provenance=f"{said}, sha256 {digest[:12]}",
        sha256=digest,
    )


def _help_texts(name: str) -> tuple[str, str] | None:
    """What `help()` says about Python's syntax, topics in order of their names."""
    if importlib.util.find_spec("pydoc_data") is None:
        return None
    from pydoc_data.topics import topics

    about = TEXTS["pydoc"]
    title = f"{about.title} (pydoc_data, {platform.python_version()}, {about.licence})"
    if name != "pydoc":
        title = f"{title} in place of {TEXTS[name].title}"
    return title, "\n\n".join(topics[topic].strip() for topic in sorted(topics))


def _made_up(name: str) -> tuple[str, str]:
    """Words of random syllables, their frequencies by Zipf's law, in sentences."""
    rng = np.random.default_rng(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    made = ["".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(1_000)]
    often = 1 / np.arange(1, len(made) + 1)
    said = rng.choice(made, 60_000, p=often / often.sum()).reshape(-1, 8)
    title = "procedural words (Apache-2.0)"
    written = "\n".join(" ".join(words).capitalize() + "." for words in said)
    return f"STAND-IN for {TEXTS[name].title}: {title}", written
