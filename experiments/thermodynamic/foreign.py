"""Images that a network learns, and others that it has never seen, in one size."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np

from experiments.data import DATA_SETS, load_images
from experiments.learning.inputs import prepare


@cache
def shown(data: str, others: tuple[str, ...], n_train: int, n_test: int, pool: int):
    """What is learned, and the test images of other sets in its size; provenances."""
    own = load_images(data, n_train, n_test)
    words, found = [own.provenance], []
    shape = own.x_test.shape[1:]
    for name in others:
        most = min(n_test, DATA_SETS[name].n_test)
        other = load_images(name, None, most)
        x = other.x_test.mean(-1, keepdims=True)
        with jax.ensure_compile_time_eval():
            x = np.asarray(jax.image.resize(x, (len(x), *shape[:2], 1), "linear"))
        whole = replace(own, x_test=np.broadcast_to(x, (len(x), *shape)))
        found.append(prepare(whole, pool, "unit").x_test)
        words.append(other.provenance)
    return prepare(own, pool, "unit"), found, words
