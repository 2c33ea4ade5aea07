"""Labelled images: where they come from, and the files that hold them."""

from experiments.data.formats import DataError as DataError
from experiments.data.sources import DATA_SETS as DATA_SETS
from experiments.data.sources import Images as Images
from experiments.data.sources import load_images as load_images
