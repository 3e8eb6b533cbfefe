"""The port to a broker and what stands behind it."""
