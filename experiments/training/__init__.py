"""The one training loop: a network, a chip, a recipe; curves come out.

Everything is a pure function of (seed, chip): the seed fixes the starting
weights and the order of the images, the chip fixes its own dice and write
errors. Chips of one seed therefore differ by their physics alone, and curves
of two thresholds differ by the threshold alone (common random numbers).
"""

from experiments.training.array import RULES as RULES
from experiments.training.array import Scalar as Scalar
from experiments.training.array import hardware as hardware
from experiments.training.array import layer_names as layer_names
from experiments.training.curves import Curves as Curves
from experiments.training.curves import Observer as Observer
from experiments.training.curves import mean_update_ratio as mean_update_ratio
from experiments.training.curves import see_nothing as see_nothing
from experiments.training.inputs import INPUTS as INPUTS
from experiments.training.inputs import Data as Data
from experiments.training.inputs import prepare as prepare
from experiments.training.loop import accuracy as accuracy
from experiments.training.loop import first_weights as first_weights
from experiments.training.loop import train as train
from experiments.training.many import population as population
from experiments.training.recipe import OPTIMIZERS as OPTIMIZERS
from experiments.training.recipe import SCHEDULES as SCHEDULES
from experiments.training.recipe import Recipe as Recipe
