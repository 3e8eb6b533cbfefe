"""The data owner: joins, and trains or validates as the contract draws it."""
