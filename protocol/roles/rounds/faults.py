"""What somebody has done in a round, or has not: the codes by which parties and records know it."""

OF_COMPLAINTS = frozenset(
    (
        "bad_opening",
        "errors_denied",
        "false_complaint",
        "false_question",
        "false_refusal",
        "false_share",
        "indefinite_matrix",
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

SILENT_MEMBERS = frozenset(("metric_late", "consent_late", "ring_late"))
"""Members of an attempt that did not answer: the next one is made without them."""

SILENCES = SILENT_MEMBERS | {
    "answered_too_late",
    "no_row_count",
    "sat_out",
    "unusable_exchange_key",
    "update_late",
}
"""Whom the others go on without, though it has done nothing wrong that can be seen."""
