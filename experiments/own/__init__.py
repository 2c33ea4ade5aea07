"""A device of your own: from its measurements to a forecast of training on it."""
