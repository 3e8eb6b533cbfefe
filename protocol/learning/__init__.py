"""Linear models trained and measured under encryption."""
