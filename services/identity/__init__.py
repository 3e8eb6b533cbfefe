"""Who we are and whom we trust: keys, sealing, signing, admission, directory."""
