"""What the functions of this package take, checked and in one precision."""

from dataclasses import fields, replace
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.reals import alike

T = TypeVar("T")
Scalar = jax.Array | float


class Price(NamedTuple):
    """What one task takes.

    Attributes:
        seconds: s.
        joules: J.
    """

    seconds: Any
    joules: Any


def constants(thing: Any) -> dict[str, Any]:
    """Field -> value."""
    return {f.name: getattr(thing, f.name) for f in fields(thing)}


def require(name: str, x: Any, *kinds: type) -> None:
    """Refuse what is no board and no machine.

    Raises:
        ValueError: naming it.
    """
    if not isinstance(x, kinds):
        words = " or a ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name} = {x!r:.80}: must be a {words}.")
    x.check()


def same(*things: Any, **numbers: Any) -> tuple[Any, ...]:
    """Boards and machines, then numbers, all in one precision.

    Raises:
        ValueError: naming what is no real number.
    """
    own = {f"{i} {k}": v for i, t in enumerate(things) for k, v in constants(t).items()}
    cast = iter(jnp.asarray(x) for x in alike(**own, **numbers))
    made = [replace(t, **{name: next(cast) for name in constants(t)}) for t in things]
    return (*made, *cast)


def check_constants(thing: Any, *may_be: str) -> None:
    """Every field one positive number; those named may be infinite or 0.

    Raises:
        ValueError: naming the field, its value and its bound.
    """
    for name, value in constants(thing).items():
        checks.one_number(name, value)
        if name in may_be and not name.endswith("_rate"):
            checks.non_negative(name, value)
        else:
            checks.positive(name, value, infinite=name in may_be)
