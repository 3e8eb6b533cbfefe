"""Setting up and looking after a market: documents, broker, contract, stores, generated documentation."""
