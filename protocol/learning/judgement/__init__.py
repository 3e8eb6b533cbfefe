"""Who takes part in an attempt, which numbers are plausible, and what may be complained of."""
