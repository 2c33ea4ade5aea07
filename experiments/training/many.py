"""One training for many chips at once."""

from collections.abc import Callable

import jax
import numpy as np

from experiments.networks import Network
from experiments.population import over_chips
from experiments.training.curves import Curves, Observer, see_nothing
from experiments.training.loop import first_weights, train
from experiments.training.recipe import Recipe

_first_weights = jax.jit(first_weights, static_argnums=1)


def population(
    network: Network, recipe: Recipe, rule: str, observe: Observer = see_nothing
) -> Callable[..., Curves]:
    """`train` for many chips of one seed, compiled once for all noises.

    Returns:
        `f(key, data, n_chips, write_noise, threshold, r_wg, params, rates)`, the
        last three as in `train`, whose curves are NumPy arrays led by the chip.
    """

    def one(chip, key, data, write_noise, threshold, r_wg, params, rates):
        return train(
            key,
            network,
            data,
            recipe,
            rule,
            chip=chip,
            write_noise=write_noise,
            threshold=threshold,
            r_wg=r_wg,
            params=params,
            rates=rates,
            observe=observe,
        )

    many = over_chips(one, in_axes=(0, *[None] * 7))

    def run(
        key,
        data,
        n_chips,
        write_noise=2.0,
        threshold=2.0,
        r_wg=1 / 80,
        params=None,
        rates=None,
    ):
        chips = np.arange(n_chips)
        if params is None:  # outside the big program, which then compiles faster
            params = _first_weights(key, network, data)
        if rates is None:
            rates = recipe.rates(len(data.x_train))
        return many(chips, key, data, write_noise, threshold, r_wg, params, rates)

    return run
