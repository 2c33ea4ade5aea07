"""One deep network that learns on the arrays of one chip: what `deep` simulates."""

from collections.abc import Mapping
from typing import Annotated, Any

import jax.numpy as jnp
from flax import linen as nn

from chipsweep import Keys
from eapu_jax.placement import Place
from experiments.contract import base_of
from experiments.learning.chips import Chips
from experiments.learning.curves import Curves, Observer
from experiments.learning.forward import PRODUCTS
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.learning.rules import RULES, Make
from experiments.learning.task import CLASSIFY, Task
from experiments.memristor.training import Writing, crossbar, thresholds
from experiments.validate import Count, CountOrZero, Positive, one_of


class Deep(Recipe, Writing):
    """What the training of a deep network depends on, whatever it learns.

    Attributes:
        rule: what becomes of an update, see `experiments.learning.rules`.
        strength: the rule's own number in units of its usual value, see there.
        learning_rate: at the start.
        products: "exact", or through the "array", see `experiments.learning.forward`.
        test_at_once: test examples at once, a divisor of all; all when 0 (structural).
    """

    rule: Annotated[str, one_of(*RULES)] = "eapu"
    strength: Positive = 1.0
    learning_rate: Positive = 1e-3
    products: Annotated[str, one_of(*PRODUCTS)] = "exact"
    test_at_once: CountOrZero = 0


class DeepSetting(Chips):
    """Seeds and chips of an experiment with deep networks: one chip of each seed."""

    n_seeds: Count = 3
    n_chips: Count = 1


def learn(
    point: Any,
    keys: Keys,
    network: nn.Module,
    data: Data,
    task: Task = CLASSIFY,
    *,
    place: Place | None = None,
    params: Any = None,
    collections: Any = None,
    arrays: Any = None,
    own: Mapping[str, Make] | None = None,
    observe: Observer | None = None,
) -> tuple[Curves, dict[str, Any]]:
    """Train one network on one chip: all that is known of it, and what a sweep keeps.

    Args:
        point: fields of `Deep`; numbers that are not structural may be traced.
        keys: see `experiments.learning.loop.train`, as is what follows.
        network: what learns.
        data: the examples.
        task: what is learnt.
        place: which leaves live on arrays.
        params: other starting weights than those of the seed.
        collections: and what else the network starts from.
        arrays: crossbars of this chip; all are `crossbar(point)` when None.
        own: rules with other numbers than the usual, see
            `experiments.learning.rules.hardware`.
        observe: called at every step.

    Returns:
        The curves, and of them `loss`, mean of each epoch, `score` (or the scores of
        the task by their names) after each, and `update_ratio`: the fraction of the
        cells written per step, over the whole training (0 for the ideal rule).
    """
    curves = train(
        keys,
        network,
        data,
        base_of(Recipe, point),
        point.rule,
        task=task,
        learning_rate=point.learning_rate,
        crossbar=crossbar(point) if arrays is None else arrays,
        threshold=thresholds(point)[0],
        strength=point.strength,
        products=point.products,
        place=place,
        params=params,
        collections=collections,
        own=own,
        observe=observe,
        test_at_once=point.test_at_once or None,
    )
    writes = [jnp.sum(n, dtype=jnp.float32) for n in curves.writes]
    cells = max(sum(n.size for n in curves.writes), 1)  # of none, none is written
    scores = curves.score if isinstance(curves.score, dict) else {"score": curves.score}
    return curves, {
        **scores,
        "loss": jnp.mean(curves.loss.reshape(point.epochs, -1), axis=1),
        "update_ratio": sum(writes, jnp.zeros(())) / cells / len(curves.loss),
    }
