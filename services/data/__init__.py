"""Private data: catalogue, readers, samples, model files."""
