"""The part of the console of the aggregator's operator, who only looks."""
