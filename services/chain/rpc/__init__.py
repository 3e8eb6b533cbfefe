"""JSON-RPC to a node."""
