"""What all roles share in a round in which everything is proven."""
