"""The write itself: what the arrays made of the update that was asked for."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Int, Key, PyTree, UInt32

from eapu_jax import ledger as ledgers
from eapu_jax.array import ArrayState, deploy_one, request, weights, working_dtype
from eapu_jax.bank import together
from eapu_jax.checks import number, one_of, traced
from eapu_jax.crossbar import Crossbar, crossbars_at
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put
from eapu_jax.transforms.foreign import difference, emitted, set_cells
from eapu_jax.transforms.keys import Root
from eapu_jax.transforms.links import refuse_programmed, sign, signed
from eapu_jax.transforms.once import computed_once
from eapu_jax.transforms.sharding import gathered, spread_like


class ProgramState(NamedTuple):
    """The chip, as far as training has to remember it.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
        arrays: an `ArrayState` for every path on the array.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    arrays: dict[str, ArrayState]


def program(
    crossbar: PyTree[Crossbar],
    *,
    key: Key[Array, ""],
    place: Place | None = None,
    step_time: Scalar = 0.0,
    foreign: Literal["write", "set"] = "write",
) -> optax.GradientTransformationExtraArgs:
    r"""Replace the update that was asked for with the one the arrays make.

    The state holds the arrays, and they are the truth: the weights are their
    read-out. Put it last in the chain: its output is written,
    $W \leftarrow W + \Delta W$, by `optax.apply_updates`. Cells that are not pulsed
    do not change, unless they move by themselves. Leaves that `place` keeps digital
    pass unchanged.

    Weights that were changed from outside since the last update (a checkpoint
    loaded, a clip, an average, a decay behind the chain) cannot change the cells by
    themselves: what differs from the read-out by more than rounding is a request,
    written with the update, and counted as `foreign` in the ledger. Where it sends
    no pulse (too small for the device) it stays in the weights and is asked again.
    With `foreign="set"` the cells are put there instead, without pulses and
    without error: for loading a checkpoint. Decay that should be written economically
    belongs into the chain, before `eapu`.

    Args:
        crossbar: one crossbar for all arrays, or a tree of them: each serves its
            path and those below (`sample_chip` makes one).
        key: typed key. Under `vmap` build the transform inside the mapped
            function, or every chip makes the same errors.
        place: which leaves live on an array; `eapu_jax.place` when None.
        step_time: time that passes per update, s; it matters to volatile devices.
        foreign: what becomes of weights changed from outside, see above.

    Raises:
        ValueError: on a negative `step_time`, a key that is not one typed key, a
            missing `params`, a second `program` in the chain, a threshold of `eapu`
            that the device never answers.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import AdditiveError, Crossbar, eapu, writes_per_cell
        >>> k1, k2 = jax.random.split(jax.random.key(0))
        >>> crossbar = Crossbar(device=AdditiveError(write_noise=2.0), r_wg=1 / 80)
        >>> tx = optax.chain(
        ...     optax.sgd(0.01), eapu(2 / 80, key=k1), program(crossbar, key=k2)
        ... )
        >>> w = {"kernel": jnp.ones((100, 10))}
        >>> state = tx.init(w)
        >>> for _ in range(300):
        ...     updates, state = tx.update(w, state, w)  # the gradient of w**2 / 2
        ...     w = optax.apply_updates(w, updates)
        >>> bool(jnp.abs(w["kernel"]).mean() < 0.1)  # SGD alone would leave 0.05
        True
        >>> bool(writes_per_cell(state)["kernel"].mean() < 50)  # of 300 steps
        True
    """
    root = Root(key)
    number("step_time", step_time, at_least=0)
    one_of("foreign", foreign, ("write", "set"))
    crossbars_at(crossbar, [])

    def init_fn(params):
        arrays = deploy_all(key, crossbar, on_array(params, place))
        return ProgramState(jnp.zeros((), jnp.int32), root.words(), arrays)

    def update_fn(updates, state, params=None, **extra_args):
        del extra_args
        if params is None:
            raise ValueError("program writes on top of params: pass params to update")
        _check_same_form(updates, params)
        refuse_programmed("program", updates)
        asked, held = (on_array(tree, place) for tree in (updates, params))
        crossbars = crossbars_at(crossbar, list(asked))
        _check_answered(crossbars, asked)
        local = computed_once(gathered(asked), state.step)
        arrays, moved = _update(
            root.at(state.key, state.step),
            crossbars,
            state.arrays,
            local,
            gathered(held),
            step_time=step_time,
            foreign=foreign,
        )
        moved = sign(spread_like(asked, moved), "program")
        state = ProgramState(optax.safe_increment(state.step), state.key, arrays)
        return put(updates, moved), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def deploy_all(
    key: Key[Array, ""], crossbar: PyTree[Crossbar], leaves: dict[str, jax.Array]
) -> dict[str, ArrayState]:
    """A fresh array for every path."""
    crossbars = crossbars_at(crossbar, list(leaves))
    keys = jr.split(key, max(len(leaves), 1))
    pairs = zip(gathered(leaves).items(), keys, strict=False)
    return {path: deploy_one(k, crossbars[path], w) for (path, w), k in pairs}


def _update(key, crossbars, arrays, asked, held, *, step_time, foreign):
    """One update of all arrays: time passes, requests are written, moves come out."""
    key_time, key_write = jax.lax.optimization_barrier(jr.split(key))
    before = {p: weights(crossbars[p], arrays[p]) for p in arrays}
    gaps = {p: difference(held[p], before[p], asked[p].dtype) for p in arrays}
    if foreign == "set":
        arrays = {
            p: set_cells(crossbars[p], one, held[p], gaps[p])
            for p, one in arrays.items()
        }
    aged = _aged(key_time, crossbars, arrays, step_time)
    wanted = {
        p: _request(crossbars[p], aged[p], asked[p], gaps[p], foreign) for p in aged
    }
    cells = {p: array.cells for p, array in aged.items()}
    done = together(crossbars, _write, key_write, cells, wanted)
    after, moved = {}, {}
    for p, (cells, pulses) in done.items():
        after[p] = _recorded(aged[p]._replace(cells=cells), pulses, gaps[p])
        settled = crossbars[p].encoding.touched(pulses.sent) | (foreign == "set")
        new = weights(crossbars[p], after[p])
        move = emitted(held[p], before[p], gaps[p], new, settled)
        moved[p] = move.astype(asked[p].dtype)
    return after, moved


def _write(key, device, cells, dg):
    return device.write(key, cells, dg)


def _recorded(array: ArrayState, pulses, gap) -> ArrayState:
    """The array with what just happened in its ledger."""
    ledger = ledgers.record(array.ledger, pulses)
    foreign = ledgers.add(ledger.foreign, ledgers.count(gap != 0))
    return array._replace(ledger=ledger._replace(foreign=foreign))


def _request(crossbar, array, asked, gap, foreign):
    dw = asked.astype(working_dtype(asked))
    return request(crossbar, array, dw if foreign == "set" else dw + gap)


def _aged(key, crossbars, arrays, step_time) -> dict[str, ArrayState]:
    """All arrays after the time of one step; only volatile devices have to compute."""
    moving = {p: c for p, c in crossbars.items() if c.device.volatile}
    cells = {p: arrays[p].cells for p in moving}
    if not moving:
        return arrays
    aged = together(
        moving,
        lambda key, device, cells: device.advance(key, cells, step_time),
        key,
        cells,
    )
    return arrays | {p: arrays[p]._replace(cells=c) for p, c in aged.items()}


def _check_same_form(updates: PyTree, params: PyTree) -> None:
    asked, held = jax.tree.structure(updates), jax.tree.structure(params)
    if asked != held:
        raise ValueError(f"params must have the structure {asked}, got {held}")
    for u, p in zip(jax.tree.leaves(updates), jax.tree.leaves(params), strict=True):
        if u.shape != p.shape:
            raise ValueError(f"params must have the shape {u.shape}, got {p.shape}")


def _check_answered(crossbars: dict[str, Crossbar], asked: dict[str, Any]) -> None:
    """Refuse a threshold that no pulse of the device answers."""
    for path, leaf in asked.items():
        maker, threshold = signed(leaf)
        if maker != "eapu" or threshold is None:
            continue
        crossbar = crossbars[path]
        least = crossbar.device.smallest_request()
        if hasattr(crossbar.r_wg, "fit") or traced(least, crossbar.r_wg):
            continue
        device = type(crossbar.device).__name__
        number(
            f"threshold of eapu for {path!r} (up to this {device} sends no pulse, and "
            "eapu_jax.matched_threshold derives one that works)",
            threshold,
            above=least * crossbar.r_wg,
        )
