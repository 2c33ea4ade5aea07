"""Tasks learned one after the other, in place, on arrays that drift in between.

Groups of classes are the tasks (split digits); which task an image belongs to is known
at a test, and only its classes' logits count (task-incremental learning). EaPU writes;
after every task the chip waits, and is tested on all tasks seen so far. The published
sequence is of wearable-sensor data (STATED-2nd), which we do not have.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

import eapu_jax as ej
from chipsweep import Keys
from experiments.learning.loop import first_weights
from experiments.learning.task import accuracy
from experiments.memristor.aging import MONTH, Aging, chip_of, device_of, write_error
from experiments.memristor.training import network, prepared
from experiments.validate import Count, NonNegative
from prng import unrolled

LARGEST = {"filamentary": 1.25, "bulk": 1.0}
"""Weight of a pair whose written cell is at an end of its window. ASSUMED."""


CLASSES = 10
"""Of every data set of `experiments.data`; read here without opening one."""


class Sequence(Aging):
    """What one sequence of tasks depends on.

    Attributes:
        tasks: groups into which the classes are cut, in their order (structural).
        pause: time that passes after every task, s.
        epochs: passes over the images of each task (structural).
    """

    tasks: Count = 5
    pause: NonNegative = MONTH
    epochs: Count = 10

    def __post_init__(self):
        """Check every field; a task has two classes or more, and a batch of images."""
        super().__post_init__()
        self.require(self.rule in ("eapu", "ideal"), "rule", "eapu or ideal")
        cut = CLASSES % self.tasks == 0 and self.tasks < CLASSES
        self.require(cut, "tasks", f"a divisor of {CLASSES}, less than it")
        most = self.n_train // CLASSES * (_classes(self) - 1)  # about even; for sure
        words = f"at most {most}, images that a task has for sure"
        self.require(self.batch_size <= most, "batch_size", words)


class Lessons(NamedTuple):
    """Images and labels, which begin with 0 in each task; tasks lead."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def lessons(point: Any) -> Lessons:
    """The images task by task, as many of each as the smallest has."""
    data = prepared(point)
    return Lessons(
        *_by_task(data.x_train, data.y_train, point),
        *_by_task(data.x_test, data.y_test, point),
    )


def _by_task(x: Any, y: Any, point: Any) -> tuple[np.ndarray, np.ndarray]:
    rows = _rows(y, point)
    fewest = min(map(len, rows))
    chosen = np.stack([row[:fewest] for row in rows])
    return x[chosen], y[chosen] % _classes(point)


def _rows(y: Any, point: Any) -> list[np.ndarray]:
    """Which images belong to each task."""
    return [np.flatnonzero(y // _classes(point) == n) for n in range(point.tasks)]


def _classes(point: Any) -> int:
    """Of each task."""
    return CLASSES // point.tasks


class Hand(NamedTuple):
    """How weights are changed: a gate, the write behind it, and a wait."""

    gate: optax.GradientTransformation
    write: optax.GradientTransformationExtraArgs
    wait: optax.GradientTransformationExtraArgs


def hand(key: jax.Array, point: Any, params: Any) -> Hand:
    """EaPU on the arrays of one chip; nothing at all under the rule "ideal"."""
    if point.rule == "ideal":
        none = optax.with_extra_args_support(optax.identity())
        return Hand(none, none, none)
    built, drawn, written = jr.split(key, 3)
    crossbar = nominal(point)
    chip = chip_of(built, point, crossbar, params)
    step = write_error(crossbar.device) * crossbar.r_wg
    return Hand(
        ej.eapu(step, key=drawn),
        ej.program(chip, key=written),
        ej.program(chip, key=written, step_time=point.pause),
    )


def nominal(point: Any) -> Any:
    """Pairs at rest in the middle of the window, of which one cell is written."""
    device = device_of(point)
    half = (device.g_max - device.g_min) / 2
    pair = ej.DifferentialPair(rest=device.g_min + half)
    return ej.Crossbar(device=device, encoding=pair, r_wg=LARGEST[point.device] / half)


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Learn one task after the other on one chip.

    Returns:
        `accuracy` over all tasks seen so far, after each task and its pause; `writes`
        per weight in all.
    """
    del chip
    given, model = jax.tree.map(jnp.asarray, lessons(point)), network(point)
    params = first_weights(keys.seed, model, prepared(point))
    adam, made = optax.adam(point.learning_rate), hand(keys.chip, point, params)
    steps = given.x.shape[1] // point.batch_size
    order = jr.fold_in(unrolled(keys.seed), 1)
    classes = _classes(point)

    def logits(params, x, task):
        every: Any = model.apply({"params": params}, x)
        return jax.lax.dynamic_slice_in_dim(every, task * classes, classes, 1)

    @jax.grad
    def descend(params, x, y, task):
        losses = optax.softmax_cross_entropy_with_integer_labels
        return jnp.mean(losses(logits(params, x, task), y))

    def step(carry, of):
        params, states = carry
        task, batch = of
        grads = descend(params, given.x[task, batch], given.y[task, batch], task)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            updates, moments = adam.update(grads, states[0], params)
        updates, gated = made.gate.update(updates, states[1], params)
        updates, array = made.write.update(updates, states[2], params)
        return (optax.apply_updates(params, updates), (moments, gated, array)), None

    def learn(carry, task):
        epochs = jr.split(jr.fold_in(order, task), point.epochs)
        orders = jax.vmap(lambda key: jr.permutation(key, given.x.shape[1]))(epochs)
        batches = orders[:, : steps * point.batch_size].reshape(-1, point.batch_size)
        which = jnp.full(len(batches), task)
        (params, states), _ = jax.lax.scan(step, carry, (which, batches))
        nothing = jax.tree.map(jnp.zeros_like, params)
        moved, array = made.wait.update(nothing, states[2], params)
        params = optax.apply_updates(params, moved)
        right = jax.vmap(lambda x, y, n: accuracy(logits(params, x, n), y))(
            given.x_test, given.y_test, jnp.arange(point.tasks)
        )
        mean = jnp.mean(right, where=jnp.arange(point.tasks) <= task)
        return (params, (*states[:2], array)), mean

    start = adam.init(params), made.gate.init(params), made.write.init(params)
    (params, states), means = jax.lax.scan(
        learn, (params, start), jnp.arange(point.tasks)
    )
    return {"accuracy": means, "writes": _writes(point, states[2])}


def _writes(point: Any, state: Any) -> jax.Array:
    """Per weight: one of its two cells is written."""
    if point.rule == "ideal":
        return jnp.zeros(())
    counts = ej.writes_per_cell(state).values()
    total = sum((jnp.sum(n, dtype=jnp.float32) for n in counts), jnp.zeros(()))
    return 2 * total / sum(n.size for n in counts)
