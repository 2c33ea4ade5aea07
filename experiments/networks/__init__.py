"""The Flax models that the figures train, behind two pure functions."""

from experiments.networks.cnn import cnn as cnn
from experiments.networks.mlp import mlp as mlp
from experiments.networks.network import Network as Network
