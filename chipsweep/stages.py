"""A long scan within a run: the engine computes it window by window, saved between.

One program serves all windows: it takes the state of the scan and how far to go, so
that where a call was cut decides no bit. Of what the steps return, the state has only
what the outputs of the run are made of.
"""

import contextvars
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.extend.core import Jaxpr, Literal, get_opaque_trace_state

_COUNT = 4  # bytes of the number of a stage
_current: contextvars.ContextVar[Any] = contextvars.ContextVar("stages", default=None)


def in_stages(body: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
    """`jax.lax.scan(body, init, xs)` of which a sweep saves the state between steps.

    Where a swept function has exactly one, outside any `jit`, `vmap` or `scan` (and no
    keys among its ys), a sweep with a store that was killed goes on at the step that
    was saved, bit for bit. What stands before and after it is computed anew for every
    save. Anywhere else it is the scan.

    Example:
        >>> import jax.numpy as jnp
        >>> total, each = in_stages(lambda c, x: (c + x, 2 * c), 0, jnp.arange(4))
        >>> int(total), each.tolist()
        (6, [0, 0, 2, 6])
    """
    here = _current.get()
    if here is None or here.trace != get_opaque_trace_state(convention="flax"):
        return jax.lax.scan(body, init, xs)
    return here.scan(body, init, xs)


class Stages(NamedTuple):
    """What a run computes stage by stage.

    Attributes:
        length: how many stages there are.
        ys: what all of them return, abstract, of one run.
        used: which leaves of `ys` decide an output.
        state: abstract, of many runs: (carry, leaves of `ys` that are used), keys as
            words.
    """

    length: int
    ys: Any
    used: list[bool]
    state: Any

    def of(self, ys: Any) -> list[Any]:
        """The leaves that are used."""
        both = zip(jax.tree.leaves(ys), self.used, strict=True)
        return [y for y, used in both if used]

    def filled(self, kept: Sequence[Any]) -> Any:
        """What the stages return; where nothing reads it, NaN or 0."""
        leaves, tree = jax.tree.flatten(self.ys)
        left = iter(kept)
        return tree.unflatten(
            next(left) if used else _blank(y)
            for y, used in zip(leaves, self.used, strict=True)
        )


class _Learning:
    """A run that is traced to learn which stages it has."""

    def __init__(self):
        self.trace = get_opaque_trace_state(convention="flax")
        self.found: list[tuple[int, Any, Any]] = []  # length, carry, ys

    def scan(self, body: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
        carry, ys = jax.lax.scan(body, init, xs)
        keys = any(map(_is_key, jax.tree.leaves(ys)))
        length = 0 if keys else len(jax.tree.leaves(xs)[0])
        self.found.append((length, jax.tree.map(_words, carry), ys))
        return carry, ys


class _Going:
    """A run that is traced to go from one stage to another."""

    def __init__(self, stages: Stages, window: Any, state: Any):
        self.trace = get_opaque_trace_state(convention="flax")
        self._stages, self._window, self.state = stages, window, state

    def scan(self, body: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
        start, stop = self._window
        held, kept = self.state

        def chosen(first, words):
            if _is_key(first):
                words = jr.wrap_key_data(words, impl=jr.key_impl(first))
            return jnp.where(start == 0, first, words)

        def step(state):
            i, carry, kept = state
            x = jax.tree.map(lambda x: x[i], xs)
            carry, y = body(carry, x)
            new = zip(kept, self._stages.of(y), strict=True)
            return i + 1, carry, [ys.at[i].set(y) for ys, y in new]

        at = start, jax.tree.map(chosen, init, held), kept
        _, carry, kept = jax.lax.while_loop(lambda state: state[0] < stop, step, at)
        self.state = jax.tree.map(_words, carry), kept
        return carry, self._stages.filled(kept)


def stages_of(run: Callable, many: Callable, example: Any) -> Stages | None:
    """The stages of a run; None if there are none.

    Args:
        run: one run.
        many: maps a run over the arguments of many.
        example: these arguments.
    """
    seen: list[Any] = []

    def learn(*arguments):
        here, outputs = _within(_Learning(), run, arguments)
        seen[:] = [(n, _abstract(ys)) for n, _, ys in here.found]
        return [(carry, ys) for _, carry, ys in here.found], outputs

    closed, shapes = jax.make_jaxpr(many(learn), return_shape=True)(*example)
    if len(seen) != 1 or not seen[0][0]:
        return None
    (length, ys), ((carry, many_ys),) = seen[0], shapes[0]
    at, n = len(jax.tree.leaves(carry)), len(jax.tree.leaves(ys))
    used = _used(closed.jaxpr, range(at, at + n), at + n)
    stages = Stages(length, ys, used, None)
    return stages._replace(state=(carry, stages.of(many_ys)))


def _used(jaxpr: Jaxpr, which: Sequence[int], rest: int) -> list[bool]:
    """Which results of a program decide those from `rest` on.

    One may be a mere arrangement of what a scan returns: that one is asked, then.
    """
    made = {v: equation for equation in jaxpr.eqns for v in equation.outvars}
    needed = {v for v in jaxpr.outvars[rest:] if not isinstance(v, Literal)}
    for equation in reversed(jaxpr.eqns):
        if not needed.isdisjoint(equation.outvars):
            needed |= {v for v in equation.invars if not isinstance(v, Literal)}

    def used(v):
        while not isinstance(v, Literal) and v in made:
            if made[v].primitive.name == "scan":
                return v in needed
            if len(made[v].invars) != 1:
                break
            (v,) = made[v].invars
        return True

    return [used(jaxpr.outvars[i]) for i in which]


def windowed(run: Callable, stages: Stages) -> Callable:
    """`(window, state, *arguments) -> (outputs, state)`: stages from start to stop."""

    def go(window, state, *arguments):
        here, outputs = _within(_Going(stages, window, state), run, arguments)
        return outputs, here.state

    return go


def _within(here: Any, run: Callable, arguments: Any) -> tuple[Any, Any]:
    token = _current.set(here)
    try:
        return here, run(*arguments)
    finally:
        _current.reset(token)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jax.dtypes.prng_key)


def _words(x: Any) -> Any:
    return jr.key_data(x) if _is_key(x) else x


def _abstract(tree: Any) -> Any:
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), tree)


def _blank(like: Any) -> Any:
    inexact = jnp.issubdtype(like.dtype, jnp.inexact)
    return jnp.full(like.shape, jnp.nan if inexact else 0, like.dtype)


@dataclass(eq=False)
class Staged:
    """A compiled `windowed` program.

    Attributes:
        program: compiled.
        stages: that it has.
        pace: seconds that a stage took when one was last waited for.
    """

    program: Any
    stages: Stages
    pace: float = math.inf


class Call:
    """A call of a staged program, under way; `outputs` are final once none is left."""

    def __init__(self, staged: Staged, arguments: Any, saved: Sequence[bytes]):
        """Begin where each device was saved, or with the first stage."""
        self._staged, self._arguments, self._done = staged, arguments, 0
        self.outputs: Any = None
        self._begun: tuple[float, int] | None = None  # when, and how many stages
        self._state = jax.tree.map(
            lambda a: np.zeros(a.shape, a.dtype), staged.stages.state
        )
        self._n_devices = len(saved)
        whole = _COUNT + sum(x.nbytes for x in jax.tree.leaves(self._state)) // len(
            saved
        )
        if all(len(s) == whole for s in saved):
            self._done = int(np.frombuffer(saved[0][:_COUNT], np.int32)[0])
            self._read(saved)

    @property
    def left(self) -> int:
        """How many stages are to come."""
        return self._staged.stages.length - self._done

    def tried(self) -> float:
        """Seconds that all stages take, by one of them."""
        if self.left:
            self.advance(0.0)
        return self._staged.pace * self._staged.stages.length

    def begin(self, seconds: float | None) -> None:
        """Dispatch all stages at once, if so long is enough for them."""
        short = seconds is None or self.left * self._staged.pace <= seconds
        if self.left and short:
            self._begun = time.monotonic(), self.left
            self.advance(None)

    def arrived(self) -> None:
        """The outputs are here: what was begun at once took so long, or less."""
        if self._begun is not None:
            clock, n = self._begun
            self._staged.pace = max((time.monotonic() - clock) / n, 1e-9)

    def advance(self, seconds: float | None) -> None:
        """Compute stages for so long, by what the last took; all of them if None."""
        n, clock = self.left, time.monotonic()
        if seconds is not None:
            n = min(n, max(int(seconds / self._staged.pace), 1))
        window = np.array([self._done, self._done + n], np.int32)
        given = window, self._state, *self._arguments
        self.outputs, self._state = self._staged.program(*given)
        self._done += n
        if seconds is not None:
            jax.block_until_ready(self._state)
            self._staged.pace = max((time.monotonic() - clock) / n, 1e-9)

    def saved(self, device: int) -> bytes:
        """What a device goes on from: number of the stage, its rows of the state."""
        rows = (self._rows(np.asarray(x), device) for x in jax.tree.leaves(self._state))
        stage = np.int32(self._done).tobytes()
        return stage + b"".join(x.tobytes() for x in rows)

    def _read(self, saved: Sequence[bytes]) -> None:
        for device, content in enumerate(saved):
            at = _COUNT
            for x in jax.tree.leaves(self._state):
                rows = self._rows(x, device)
                end = at + rows.nbytes
                words = np.frombuffer(content[at:end], x.dtype)
                rows[...], at = words.reshape(rows.shape), end

    def _rows(self, x: np.ndarray, device: int) -> np.ndarray:
        n = len(x) // self._n_devices
        return x[device * n : (device + 1) * n]
