"""Bad input of `thermo`: every public constructor, law and run."""

import random
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.fuzz.spoil import Subject, fault, spoilt
from tests.fuzz.thermo.boards import BOARDS
from tests.fuzz.thermo.denoising import DENOISING
from tests.fuzz.thermo.generative import GENERATIVE
from tests.fuzz.thermo.gradients import GRADIENTS
from tests.fuzz.thermo.identified import IDENTIFIED
from tests.fuzz.thermo.inference import INFERENCE
from tests.fuzz.thermo.laws import LAWS
from tests.fuzz.thermo.linalg import LINALG
from tests.fuzz.thermo.runs import RUNS
from tests.fuzz.thermo.scaling import SCALING
from tests.fuzz.thermo.values import NOT_REAL
from thermo.reals import real_array


def subjects() -> list[Subject]:
    """Everything public that takes an argument."""
    every = [*BOARDS, *LAWS, *LINALG, *RUNS, *IDENTIFIED, *GENERATIVE, *GRADIENTS]
    return [*every, *INFERENCE, *SCALING, *DENOISING]


def real_arguments() -> Iterator[tuple[Subject, str]]:
    """Every argument that is of real numbers and can be in another precision."""
    for subject in subjects():
        for argument, bad in subject.kinds.items():
            if argument in subject.good and any(v is NOT_REAL[6] for v in bad):
                real_array(argument, subject.good[argument])
                yield subject, argument


def extremes() -> Iterator[tuple[Subject, str, Any]]:
    """Numbers that are allowed, and so large or small that something may overflow."""
    for subject, argument in real_arguments():
        value = np.asarray(subject.good[argument], float)
        for size in (1e-35, 1e-20, 1e20, 1e35):
            yield subject, argument, jnp.asarray(value * size)


def overflow(subject: Subject, argument: str, value: Any) -> str | None:
    """What is wrong with how an extreme value was taken; None if right or refused."""
    where = f"{subject.name}({argument}={value.ravel()[:2]}...)"
    try:
        found = subject.call(**{**subject.good, argument: value})
    except (ValueError, TypeError) as error:
        words = " ".join(str(error).split())
        return None if "=" in words or ":" in words else f"{where} is refused: {words}"
    except Exception as error:
        return f"{where} ends in {type(error).__name__}: {error}"
    if not getattr(found, "healthy", True):
        return None  # said in so many words
    sums = [np.asarray(x).sum() for x in jax.tree.leaves(found) if hasattr(x, "dtype")]
    return None if np.isfinite(sums).all() else f"{where} is accepted: {found}"


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for every one of `count` bad inputs that was not refused by name.

    Every tenth is no bad one but extreme: it may be refused, or have a finite answer.
    """
    draw = random.Random(seed)
    far = list(extremes())
    for i, one in enumerate(spoilt(subjects(), seed, count)):
        wrong = overflow(*draw.choice(far)) if i % 10 == 9 else fault(*one)
        if wrong:
            yield wrong
