r"""Least squares on uneven soft bounds: one array, Tiki-Taka, residual learning.

The toy of Wu et al. 2025 (arXiv 2502.06309, their Fig. 2 and public code): 100 Gaussian
inputs of 50 features, a target of 0.5 N(0, 1), weights that start at 1, no noise but
that of the pulses. Every image of a full batch is written by itself, as the analog
hardware does, so that up and down pulses wear on an uneven device even where they
cancel in the mean.
"""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule, fast_and_slow, slow_and_part_of_fast
from eapu_jax.transforms.tiles import tiles
from experiments.validate import Checked, Count, Proportion, one_of

SAMPLES, INPUTS, TARGET, START = 100, 50, 0.5, 1.0
"""The task (STATED)."""
WINDOW, PULSE = 3.5, 1e-4
"""Weights of -3.5 to 3.5 in steps of 1e-4 (STATED)."""
LENGTH, RATE, GAMMA = 8, 0.8, 0.4
"""Most pulses of an image, learning rate, part of the fast array (STATED)."""
TRANSFER = 31
"""Most pulses of a transfer: the default of IBM's analog hardware kit (RECALLED)."""
UNEVEN = (0.0, 0.1, 0.2, 0.3)
"""`up_down` of the kit, as swept there (STATED)."""
STEPS = 1000
"""Full batches (STATED)."""

RULES = {"pulse_train": None, "tiki_taka": 0.0, "residual_learning": GAMMA}
"""Rule -> part of the fast array in the weight. The public script has Tiki-Taka with
0.4, which is residual learning; 0 is Tiki-Taka as first published."""


def uneven(unevenness: Any, pulse: float = 80 * PULSE / WINDOW) -> ej.SoftBounds:
    r"""Soft bounds whose downward pulse is smaller than whoever writes knows.

    Requests are counted in the upward step $p$ in both directions, and a pulse
    downwards makes $(1 - u)\,p$ at the middle. $u$ is our reading of the kit's
    `up_down` (INFERRED). Both directions are alike at $u / (2 - u)$ of the window
    (DERIVED). `pulse` is the upward step at the middle, µS.
    """
    return ej.SoftBounds(
        pulse=pulse,
        down_ratio=1 - unevenness,
        write_noise=0.0,
        reckoned=ej.PulseSteps(up=pulse, down=pulse),
    )


class Toy(Checked):
    """What one run depends on.

    Attributes:
        rule: "pulse_train" (one array), "tiki_taka", "residual_learning".
        uneven: how much smaller downward pulses are.
        reference: where arrays read 0: at the middle of the window (0), at the
            symmetric point (1), or in between.
        toy_steps: full batches (structural).
    """

    rule: Annotated[str, one_of(*RULES)] = "residual_learning"
    uneven: Proportion = 0.0
    reference: Proportion = 1.0
    toy_steps: Count = STEPS


def least_squares(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Fit the target on one chip.

    The task is that of the seed.

    Returns:
        `loss`, half the mean square error over the number of features, before every
        step (as the public code records it), and `end`, its mean over the last tenth.
    """
    del chip
    x = jr.normal(jr.fold_in(keys.seed, 0), (SAMPLES, INPUTS))
    best = TARGET * jr.normal(jr.fold_in(keys.seed, 1), (1, INPUTS))
    symmetric = 80 * point.uneven / (2 - point.uneven)
    crossbar = ej.Crossbar(
        device=uneven(point.uneven),
        encoding=ej.SingleCell(reference=point.reference * symmetric),
        r_wg=WINDOW / 80,
    )
    # features side by side are one line: a transfer reads all of them, as there
    tx, w = _rule(keys.chip, point.rule, crossbar), jnp.full((1, INPUTS), START)

    def write(held, of):
        (w, state), (features, error) = held, of
        asked = -RATE / SAMPLES * error * features[None]
        updates, state = tx.update(asked, state, w)
        return (optax.apply_updates(w, updates), state), None

    def step(held, _):
        errors = ((held[0] - best) @ x.T)[0]
        held, _ = jax.lax.scan(write, held, (x, errors))
        return held, jnp.mean(errors**2) / 2 / INPUTS

    _, loss = jax.lax.scan(step, (w, tx.init(w)), length=point.toy_steps)
    return {"loss": loss, "end": jnp.mean(loss[-max(point.toy_steps // 10, 1) :])}


def _rule(key: jax.Array, rule: str, crossbar: Any) -> optax.GradientTransformation:
    key_rule, key_write = jr.split(key)
    gamma = RULES[rule]
    if gamma is None:
        train = ej.pulse_train(PULSE, LENGTH, key=key_rule)
        return optax.chain(train, ej.program(crossbar, key=key_write))
    return optax.chain(
        optax.clip(LENGTH * PULSE), _bounded_transfers(key_rule, crossbar, gamma)
    )


def _bounded_transfers(key: jax.Array, crossbar: Any, gamma: float) -> Any:
    """`eapu_jax.tiki_taka`, a transfer of which has at most `TRANSFER` pulses.

    Without the bound a rate of 0.8 makes the pair of arrays swing.
    """

    def act(one, dw):
        one = one.write("fast", dw)
        line = line_at(one.step, SAMPLES, dw.shape)
        seen, one = one.read("fast", line)
        most = TRANSFER * PULSE
        return one.write("slow", jnp.clip(RATE * seen, -most, most), line)

    rule = Rule(
        name="bounded_transfers",
        act=act,
        parts=slow_and_part_of_fast(gamma),
        start=fast_and_slow,
    )
    both = {"fast": crossbar, "slow": crossbar}
    return tiles(rule, both, key=key, place=None, step_time=0.0)
