"""The one training loop: a network, a recipe, the arrays of a chip; curves come out."""

from experiments.learning.cnn import cnn
from experiments.learning.curves import Curves, Observer, Step, see_nothing
from experiments.learning.inputs import INPUTS, Data, prepare
from experiments.learning.loop import accuracy, first_weights, train
from experiments.learning.mlp import mlp
from experiments.learning.network import Network
from experiments.learning.recipe import OPTIMIZERS, SCHEDULES, Recipe
from experiments.learning.rules import RULES, hardware

__all__ = [
    "INPUTS",
    "OPTIMIZERS",
    "RULES",
    "SCHEDULES",
    "Curves",
    "Data",
    "Network",
    "Observer",
    "Recipe",
    "Step",
    "accuracy",
    "cnn",
    "first_weights",
    "hardware",
    "mlp",
    "prepare",
    "see_nothing",
    "train",
]
