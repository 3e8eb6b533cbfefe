"""Eight numbers at a time where the processor can: see README.md in this folder."""
