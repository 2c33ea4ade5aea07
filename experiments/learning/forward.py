"""How a network multiplies: exactly, or through its arrays."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from flax import linen as nn

import eapu_jax as ej
from eapu_jax.flax import through_arrays
from eapu_jax.placement import Place
from experiments.learning.rules import GATES

PRODUCTS = ("exact", "array")


class Pass(NamedTuple):
    """What a network passes through besides its input.

    Attributes:
        params: weights.
        collections: what else it keeps, by name: batch statistics; none: `{}`.
        state: of the rule, with the arrays in it.
        key: of the read noise.
        key_dropout: of what it draws itself.
        train: whether it is trained: statistics move, dropout drops.
    """

    params: Any
    collections: Mapping[str, Any]
    state: Any
    key: jax.Array
    key_dropout: jax.Array
    train: bool


Apply = Callable[[Pass, jax.Array], tuple[Any, Mapping[str, Any]]]
"""`apply(pass, x)`: outputs, of weights or of their arrays, and the collections."""


def forward(
    products: str, network: nn.Module, rule: str, crossbar: Any, place: Place | None
) -> Apply:
    """The network as its products are made.

    Args:
        products: "exact": of the weights that the arrays stand for; "array": through
            converters, wires and tiles of the crossbar, read noise drawn anew for
            every step; gradients pass back through the same arrays.
        network: what multiplies; it is told whether it is trained if it takes `train`.
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
        return lambda at, x: _applied(
            network.apply, network, at, ej.merged(at.params), x
        )
    if rule not in GATES:
        raise ValueError(
            f'products = "array" needs a rule with one array per weight, {tuple(GATES)}'
            f", got rule = {rule!r}"
        )
    through = through_arrays(network.apply)

    def analog(at, x):
        arrays, where = ej.view(at.state), place or ej.place
        held = ej.wrap(at.params, arrays, at.key, crossbar, place=where)
        return _applied(through, network, at, held, x)

    return analog


def first_variables(
    key: jax.Array, network: nn.Module, x: jax.Array
) -> tuple[Any, dict[str, Any]]:
    """Weights and other collections that a network starts from."""
    variables: Any = dict(network.init(key, x))
    return variables.pop("params"), variables


def _applied(apply, network, at, params, x):
    variables = {"params": params, **at.collections}
    told = {"train": at.train} if _asks(network) else {}
    if not at.train:
        return apply(variables, x, **told), at.collections
    keys = {"dropout": at.key_dropout}
    if not at.collections:
        return apply(variables, x, rngs=keys, **told), at.collections
    moving = list(at.collections)
    outputs, moved = apply(variables, x, rngs=keys, mutable=moving, **told)
    return outputs, dict(moved)


def _asks(network: nn.Module) -> bool:
    return "train" in inspect.signature(type(network).__call__).parameters
