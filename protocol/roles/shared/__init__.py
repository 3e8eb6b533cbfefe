"""What all roles know of a training in the same words."""
