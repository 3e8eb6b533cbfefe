"""Documentation made from the code: the AsyncAPI document and the sequence diagram."""
