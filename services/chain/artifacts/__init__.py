"""What the Solidity compiler made of contracts/src; `contracts/build.py` writes it."""
