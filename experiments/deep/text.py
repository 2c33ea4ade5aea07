"""Deep networks that say the next character: what one training depends on."""

from functools import cache
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from chipsweep import Keys
from experiments.data.text import HELD_OUT, TEXTS, Text, load_text, rows
from experiments.deep.training import Deep, learn
from experiments.learning.curves import Curves
from experiments.learning.inputs import Data
from experiments.learning.networks import language_model
from experiments.learning.task import PREDICT
from experiments.validate import Checked, Count, Width, one_of

CHARACTERS = {"pydoc": 465_000, "tinyshakespeare": 1_115_394}
"""Of each text, about. Of one that is shorter, a stand-in, some rows serve twice."""

DIMS = {"bits": ("epoch",), "loss": ("epoch",)}

text_named = cache(load_text)
"""A text, read once."""


class Reading(Checked):
    """Which text, and a transformer of whatever width.

    Attributes:
        text: "pydoc" (Python's help texts) or "tinyshakespeare", see
            `experiments.data.text`.
        n_train: rows of `context` characters to learn from, evenly spread over the
            text (structural).
        n_test: rows that are held out, likewise from the last tenth (structural).
        batch_size: rows per step; an incomplete last batch is left out (structural).
        blocks: of the transformer (structural).
        heads: of the attention (structural).
        context: characters seen at most (structural).
    """

    text: Annotated[str, one_of(*TEXTS)] = "pydoc"
    n_train: Count = 1024
    n_test: Count = 256
    batch_size: Count = 8
    blocks: Count = 2
    heads: Count = 4
    context: Count = 64

    def __post_init__(self):
        """Check every field; the text must be long enough, and fill a batch."""
        super().__post_init__()
        for name, part in (("n_train", HELD_OUT - 1), ("n_test", 1)):
            most = CHARACTERS[self.text] * part // HELD_OUT // self.context
            words = f"this text has about {most:,} rows of {self.context:,} characters"
            self.require(getattr(self, name) <= most, name, words)
        words = f"must be at most n_train = {self.n_train}"
        self.require(self.batch_size <= self.n_train, "batch_size", words)

    def read(self) -> Text:
        """The text, with its provenance."""
        return text_named(self.text)


class TextAndNet(Reading):
    """Which text, and which transformer.

    Attributes:
        width: of the blocks, a multiple of `heads` (structural).
    """

    width: Width = 64

    def __post_init__(self):
        """Check every field."""
        super().__post_init__()
        words = f"must divide width = {self.width}"
        self.require(self.width % self.heads == 0, "heads", words)


class Speaking(TextAndNet, Deep):
    """What the training of one transformer depends on; numbers may be swept."""


def network(point: Any):
    """The network of a point."""
    sizes = {name: getattr(point, name) for name in ("blocks", "width", "heads")}
    kinds = len(text_named(point.text).vocabulary)
    return language_model(kinds, context=point.context, **sizes)


def shapes(point: Any) -> Any:
    """The shapes of all that the network of a point learns."""
    x = jax.ShapeDtypeStruct((1, point.context), jnp.int32)
    return jax.eval_shape(network(point).init, jr.key(0), x)["params"]


def prepared(point: Any) -> Data:
    """Rows of characters, and the same one further, of the whole text."""
    text = text_named(point.text)
    return split(point, rows(text.train, point.context))


def split(point: Any, train: np.ndarray) -> Data:
    """Some of these rows to learn from, and those of the last tenth."""
    held_out = rows(text_named(point.text).validation, point.context)
    learnt, tested = spread(train, point.n_train), spread(held_out, point.n_test)
    return Data(learnt[:, :-1], learnt[:, 1:], tested[:, :-1], tested[:, 1:])


def spread(rows: np.ndarray, n: int) -> np.ndarray:
    """Rows from the whole text, evenly far apart.

    Example:
        >>> spread(np.arange(10)[:, None], 3).ravel().tolist()
        [0, 3, 6]
    """
    return rows[np.arange(n) * len(rows) // n]


def learn_text(
    point: Any, keys: Keys, data: Data | None = None, **other: Any
) -> tuple[Curves, dict[str, Any]]:
    """As `experiments.deep.training.learn`; the score is `bits` per character."""
    data = prepared(point) if data is None else data
    curves, found = learn(point, keys, network(point), data, PREDICT, **other)
    found["bits"] = found.pop("score")
    return curves, found | {"final": found["bits"][-1]}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one transformer on one chip, test it, count its writes.

    Returns:
        `bits` per character of the held-out text and mean `loss` (nats) of each
        epoch, `final` bits, `update_ratio` over the whole training. If traced also
        `layer_ratio`: the fraction of the cells of each layer written at each step.
    """
    del chip
    curves, found = learn_text(point, keys)
    return found | ({"layer_ratio": curves.update_ratio} if trace else {})
