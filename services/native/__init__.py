"""The compiled kernel of `protocol/crypto/native`: built, found, tried, and handed to the protocol."""
