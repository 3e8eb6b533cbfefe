"""The aggregator in a round in which everything is proven: it checks proofs, masks, shows masks, relays."""
