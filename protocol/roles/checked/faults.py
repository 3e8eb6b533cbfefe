"""What somebody has done in a round, by the codes that parties and whoever reads their records know it by."""

OF_COMPLAINTS = frozenset(
    (
        "bad_opening",
        "false_complaint",
        "false_question",
        "false_refusal",
        "false_share",
        "other_statement",
    )
)
"""What a complaint comes to, of whom it is about or of whoever made it."""

OF_PROOFS = frozenset(("unproven_metric", "unproven_update"))
"""Numbers whose proof does not hold."""
