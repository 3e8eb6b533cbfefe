"""What is opened in a round under the shares of a ring: sums that must be small, and errors with noise."""
