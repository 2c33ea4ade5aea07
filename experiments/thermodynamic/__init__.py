"""The SPU's figures: one module each, with Config, run, plot and claims."""
