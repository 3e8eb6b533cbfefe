"""The part of the console of the data owner."""

from services.console.owner.section import SECTION

__all__ = ["SECTION"]
