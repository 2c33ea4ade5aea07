"""One lane: one chip with one seed at one point, as a pure function of arrays."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr

from chipsweep.replicate import keys_of, takes_both
from experiments.sweep.point import NoSuchField, Point
from experiments.sweep.study import Group, Study, fields_of

__all__ = ["BadFunction", "Facts", "arguments", "facts_of", "lane_function", "named"]

Arguments = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]


class BadFunction(ValueError):
    """The function cannot be swept like this, at any point."""


class Facts(NamedTuple):
    """What tracing tells about the program of a group.

    Attributes:
        outputs: name -> (dtype, shape) of one lane.
        program: digest of everything that is computed, constants included.
    """

    outputs: dict[str, tuple[str, tuple[int, ...]]]
    program: str


def lane_function(study: Study, group: Group, **extra: Any) -> Callable:
    """`f(values, point, chip, seed)`: traced axes and three indices in, outputs out.

    The dice depend on chip and seed alone, unless the study gives each point its
    own.
    """
    base = fields_of(study.base)

    def lane(values, point, chip, seed):
        root = jr.key(study.key, impl="threefry2x32")
        if takes_both(study.function):
            key: Any = keys_of(root, seed, chip)
        else:
            key = jr.fold_in(jr.fold_in(root, seed), chip)
            key = key if study.common else jr.fold_in(key, point)
        told = {**base, **group.structural, **values, "seed": seed}
        return named(study.function(Point(told, study.read), chip, key, **extra))

    return lane


def arguments(study: Study, group: Group, lanes: np.ndarray) -> Arguments:
    """The arguments of some lanes, each with the lane as leading axis."""
    point, chip, seed = study.where(group, lanes)
    values = {}
    for axis in study.traced:
        kind = jax.dtypes.canonicalize_dtype(int if axis.integer else float)
        column = [study.layout.points[p][axis.name] for p in point]
        values[axis.name] = np.array(column, np.int32 if axis.integer else kind)
    chips, seeds = np.array(study.chips), np.array(study.seeds)
    whole = (i.astype(np.int32) for i in (point, chips[chip], seeds[seed]))
    return values, next(whole), next(whole), next(whole)


def facts_of(study: Study, group: Group) -> Facts:
    """Trace the function once, abstractly.

    Raises:
        BadFunction: if an axis is mapped that decides the program.
        Exception: whatever the function raises for another reason.
    """
    one = jax.tree.map(lambda a: a[0], arguments(study, group, np.arange(1)))
    lane = lane_function(study, group)
    try:
        jaxpr, shapes = jax.make_jaxpr(lane, return_shape=True)(*one)
    except (NoSuchField, BadFunction):
        raise
    except Exception as e:
        _blame(lane, one, e)
        raise
    outputs = {k: (str(v.dtype), v.shape) for k, v in shapes.items()}
    return Facts(outputs, _digest(jaxpr))


def named(outputs: Any) -> dict[str, Any]:
    """The outputs of a function as a dict of arrays.

    Raises:
        BadFunction: if they are none.
    """
    if hasattr(outputs, "_asdict"):
        outputs = outputs._asdict()
    if not isinstance(outputs, Mapping) or not outputs:
        raise BadFunction(
            "the function must return a dict of arrays by name (or a NamedTuple), "
            f"got {type(outputs).__name__}"
        )
    wrong = [k for k in outputs if not isinstance(k, str) or not k.isidentifier()]
    if wrong:
        raise BadFunction(f"output {wrong[0]!r}: the name must be an identifier")
    return {k: _plain(v) for k, v in outputs.items()}


def _plain(value: Any) -> Any:
    """An array of a dtype that NumPy has."""
    value = value if isinstance(value, np.ndarray) else jnp.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" else value


def _blame(lane: Callable, one: Arguments, error: Exception) -> None:
    """Say so if the trouble is gone once a single axis is not traced."""
    values, *indices = one
    for name in values:

        def concrete(rest, *indices, name=name):
            return lane({**rest, name: values[name].item()}, *indices)

        rest = {k: v for k, v in values.items() if k != name}
        try:
            jax.eval_shape(concrete, rest, *indices)
        except Exception:
            continue
        raise BadFunction(
            f"axis {name!r} decides the program (a shape, a length, a branch), "
            f"so it cannot be mapped: use Structural([...]), on the command line "
            f"--structural {name}; it is then compiled once per value"
        ) from error


def _digest(closed: ClosedJaxpr) -> str:
    """Digest of a program and its constants, those of inner programs too.

    The text is the same on a terminal and in a log: it has no colours, and no
    addresses of objects.
    """
    text = closed.jaxpr.pretty_print(use_color=False)
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", text).encode())
    for constant in _constants(closed.jaxpr, closed.consts):
        if jnp.issubdtype(constant.dtype, jax.dtypes.prng_key):
            constant = jr.key_data(constant)
        digest.update(np.asarray(constant).tobytes())
    return digest.hexdigest()[:12]


def _constants(jaxpr: Jaxpr, consts: Iterable[Any] = ()) -> Iterator[Any]:
    yield from consts
    for equation in jaxpr.eqns:
        for part in jax.tree.leaves(list(equation.params.values())):
            if isinstance(part, ClosedJaxpr):
                yield from _constants(part.jaxpr, part.consts)
            elif isinstance(part, Jaxpr):
                yield from _constants(part)
