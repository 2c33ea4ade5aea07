"""How a network multiplies: exactly, or through its arrays."""

from collections.abc import Callable
from typing import Any

import jax
from flax import linen as nn

import eapu_jax as ej
from eapu_jax.flax import through_arrays
from eapu_jax.placement import Place
from experiments.learning.rules import GATES

PRODUCTS = ("exact", "array")

Apply = Callable[[Any, Any, jax.Array, jax.Array], jax.Array]
"""`apply(params, state, key, x)`: the logits, of weights or of their arrays."""


def forward(
    products: str, network: nn.Module, rule: str, crossbar: Any, place: Place | None
) -> Apply:
    """The network as its products are made.

    Args:
        products: "exact": of the weights that the arrays stand for; "array": through
            converters, wires and tiles of the crossbar, read noise drawn anew for
            every step; gradients pass back through the same arrays.
        network: what multiplies.
        rule: which trains it.
        crossbar: of all layers, or a tree of them like the weights.
        place: which leaves live on an array.

    Raises:
        ValueError: if `products` is unknown, or "array" under a rule that does not
            hold each weight on one array.
    """
    if products not in PRODUCTS:
        raise ValueError(f"products must be one of {PRODUCTS}, got {products!r}")
    if products == "exact":

        def exact(params, state, key, x):
            del state, key
            return network.apply({"params": ej.merged(params)}, x)

        return exact  # pyright: ignore[reportReturnType]
    if rule not in GATES:
        raise ValueError(
            f'products = "array" needs a rule with one array per weight, {tuple(GATES)}'
            f", got rule = {rule!r}"
        )
    through = through_arrays(network.apply)

    def analog(params, state, key, x):
        arrays, where = ej.view(state), place or ej.place
        held = ej.wrap(params, arrays, key, crossbar, place=where)
        return through({"params": held}, x)

    return analog
