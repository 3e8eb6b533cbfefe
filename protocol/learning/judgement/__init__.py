"""Who takes part, what numbers are plausible, and who is named when something is wrong: decisions alone.

Every function here is of signed things and of what its caller found by looking at them itself. Nobody is
named on another's word, and nobody who is honest is named, whoever single party lies
(`tests/protocol/learning/judgement/test_single_liars.py`).
"""
