"""The contract from Python: typed calls and views, a sender safe for nonces, a listener for its events.

web3.py's codec encodes calls and decodes answers, events and errors (`contract`); eth-account signs. Ours are
the transport, which bounds answers and keeps URLs out of errors and logs (`rpc`), nonces, fees and
confirmations (`transactions`), reorganisations (`events`) and a chain for demo and tests (`embedded`).
Where web3.py has the same and it does not do, the module says why.
"""
