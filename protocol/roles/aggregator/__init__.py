"""The federated aggregator: coordinates a training without seeing data or models."""
