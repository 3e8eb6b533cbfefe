"""How good predictions are on rows whose target is known, a batch at a time and in constant memory."""
