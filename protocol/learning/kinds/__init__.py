"""Kinds of models: everything in a training that depends on which model is trained."""
