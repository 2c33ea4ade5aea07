"""What decides the numbers of a sweep, as a digest: its program, traced.

Source text decides nothing: a comment may change, and a captured object, a global
or a helper in another module may not.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from chipsweep.bytecode import digest_of_python
from chipsweep.frame import Runs
from chipsweep.point import BadFunction
from chipsweep.replicate import arguments, replicate
from chipsweep.spec import Group, Spec, fields_of


class Traced(NamedTuple):
    """What tracing tells about the program of a group.

    Attributes:
        outputs: name -> (dtype, shape) of one run.
        program: digest of everything that is computed, constants included.
    """

    outputs: dict[str, tuple[str, tuple[int, ...]]]
    program: str


def trace(spec: Spec, group: Group) -> Traced:
    """Trace the function once, abstractly; plain Python is digested by its bytecode.

    Raises:
        BadFunction: if an axis is mapped that decides the program.
        Exception: whatever the function raises for another reason.
    """
    if spec.outputs is not None:
        held = digest_of_python(spec.function, fields_of(spec.base), group.structural)
        return Traced(dict(spec.outputs), held)
    zero = np.zeros(1, int)
    some = arguments(spec, Runs(group.points[:1], zero, zero))
    one = jax.tree.map(lambda a: a[0], some)
    run = replicate(spec, group)
    try:
        jaxpr, shapes = jax.make_jaxpr(run, return_shape=True)(*one)
    except Exception as e:
        if not isinstance(e, BadFunction):
            _blame(run, one, e)
        raise
    outputs = {k: (str(v.dtype), tuple(v.shape)) for k, v in shapes.items()}
    return Traced(outputs, _digest(jaxpr))


def _blame(run: Callable, one: Any, error: Exception) -> None:
    """Say so if the trouble is gone once a single axis is not traced."""
    values, *indices = one
    for name in values:

        def concrete(rest, *indices, name=name):
            return run({**rest, name: values[name].item()}, *indices)

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
        value = np.asarray(constant)
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    return digest.hexdigest()[:16]


def _constants(jaxpr: Jaxpr, consts: Iterable[Any] = ()) -> Iterator[Any]:
    """Also arrays in the program itself: its text shows their shape alone."""
    yield from consts
    yield from _literals(jaxpr.outvars)
    for equation in jaxpr.eqns:
        yield from _literals(equation.invars)
        for part in jax.tree.leaves(list(equation.params.values())):
            if isinstance(part, ClosedJaxpr):
                yield from _constants(part.jaxpr, part.consts)
            elif isinstance(part, Jaxpr):
                yield from _constants(part)


def _literals(variables: Iterable[Any]) -> Iterator[Any]:
    return (v.val for v in variables if isinstance(v, Literal) and np.ndim(v.val))
