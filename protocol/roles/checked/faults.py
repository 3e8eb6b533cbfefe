"""What somebody has done in a round, by the codes that parties and whoever reads their records know it by."""

OF_COMPLAINTS = frozenset(
    (
        "bad_opening",
        "false_complaint",
        "false_question",
        "false_refusal",
        "false_share",
        "other_statement",
        "out_of_range",
        "wrong_moments",
        "wrong_products",
        "zero_denied",
    )
)
"""What a complaint comes to, of whom it is about or of whoever made it."""

OF_EVIDENCE = frozenset(("other_request", "other_start", "two_versions", "wrong_subtraction"))
"""What the aggregator's own signed evidence shows of it."""

OF_PROOFS = frozenset(("unproven_metric", "unproven_update"))
"""Numbers whose proof does not hold."""
