"""Deep networks on noisy arrays: images, restoration, language."""
