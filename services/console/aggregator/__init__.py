"""The part of the console of the aggregator's operator, who only looks."""

from services.console.aggregator.section import SECTION

__all__ = ["SECTION"]
