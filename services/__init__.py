"""What runs the protocol: daemons, bus, chain, stores, command line."""
