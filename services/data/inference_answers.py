"""What a buyer is told before it orders standard errors: whose silence would keep them from it."""

from protocol.request import Request


def inference_answers(request: Request) -> str | None:
    """For people, of a request with `inference`; None of any other."""
    if not request.inference:
        return None
    return (
        "standard errors need an answer of every trainer and of two validators after the settlement: of one "
        "that was down it counts when it is back, and if one does not answer within 30 days there are none; "
        "neither the model nor any pay waits for them"
    )
