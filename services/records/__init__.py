"""Read models: what happened in a training, on the chain and to an owner's budget."""
