"""The model buyer: orders a training, holds its key, gets the model."""
