"""The contract from Python: typed calls and views, a sender safe for nonces, a listener for its events.

eth-abi encodes calls and decodes answers, events and errors (`contract`). Ours are the transport, which
bounds answers and keeps URLs out of errors and logs (`rpc`), nonces, fees, signing and confirmations
(`transactions`), reorganisations (`events`) and a chain for demo and tests (`embedded`). web3.py and
eth-account, which take a second to import, are what the tests compare with; where they have the same and it
does not do, the module says why.
"""
