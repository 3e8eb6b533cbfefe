"""The model buyer's part of the console."""

from services.console.buyer.section import SECTION

__all__ = ["SECTION"]
