"""The protocol, pure: what the parties compute and say, without clock, network or storage."""
