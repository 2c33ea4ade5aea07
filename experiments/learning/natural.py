"""Natural gradients, exact and by waiting, beside the usual optimizers."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Key

from experiments.learning.recipe import Recipe
from experiments.validate import Checked, NonNegative, Positive, one_of
from thermo import natural_gradient

METHODS = ("sgd", "adam", "natural", "relaxed", "running")
ITERATIONS = 300
"""Of conjugate gradients: at most, for `natural`."""


class Descent(Checked):
    """What a step is made of, see `thermo.natural_gradient`.

    Attributes:
        method: "sgd" (plain), "adam" (0.9, 0.999), "natural" (exact, by conjugate
            gradients), or what a board says that is "relaxed" from the gradient at
            every step, or left "running".
        learning_rate: at the start.
        time: that the board relaxes, tau (structural).
        delay: that a running board goes on meanwhile, tau.
        damping: added to the curvature.
        board_noise: kappa0 of the board.
        euler_step: of the simulated board, tau.
    """

    method: Annotated[str, one_of(*METHODS)] = "relaxed"
    learning_rate: Positive = 0.01
    time: NonNegative = 50.0
    delay: NonNegative = 0.0
    damping: Positive = 0.01
    board_noise: NonNegative = 0.0
    euler_step: Positive = 0.1


def descent(
    key: Key[Array, ""], point: Any, recipe: Recipe, n_train: int
) -> optax.GradientTransformationExtraArgs:
    """The optimizer of a point, learning rate included.

    Args:
        key: of the board's noise.
        point: fields of `Descent`; those that are not structural may be traced.
        recipe: whose schedule is that of the learning rate.
        n_train: training images.
    """
    rates = point.learning_rate * jnp.asarray(recipe.decay(n_train))
    direction = {
        "sgd": lambda: optax.identity(),
        "adam": lambda: optax.scale_by_adam(),
        "natural": lambda: natural_gradient.solved(
            damping=point.damping, iterations=ITERATIONS
        ),
        "relaxed": lambda: natural_gradient.relaxed(point.time, **_board(key, point)),
        "running": lambda: natural_gradient.running(
            point.time, delay=point.delay, **_board(key, point)
        ),
    }[point.method]()
    return optax.with_extra_args_support(
        optax.chain(direction, optax.scale_by_learning_rate(lambda step: rates[step]))
    )


def stiffness(state: Any) -> jax.Array:
    """The largest of a training, see `thermo.natural_gradient.RelaxedState`."""
    return getattr(state[0], "stiffness", jnp.zeros(()))


def _board(key: Key[Array, ""], point: Any) -> dict[str, Any]:
    return {
        "key": jr.fold_in(key, 5),  # the loop has 0 to 3, a chip that strays 4
        "damping": point.damping,
        "noise": point.board_noise,
        "relaxation": natural_gradient.Euler(step=point.euler_step),
    }
