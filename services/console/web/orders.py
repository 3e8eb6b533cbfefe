"""Orders from pages, waited for a moment: the page that follows shows what the daemon decided."""

from protocol.errors import DeltaMLError
from protocol.messages import Message
from services.console.web.pages import Page
from services.records.order_answers import await_answer

PATIENCE_SECONDS = 3.0


class OrderRefused(DeltaMLError):  # noqa: N818
    """The daemon does not do what was ordered, for the reason with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def give(page: Page, body: Message, training: int = 0) -> None:
    """Have the daemon decide; one that is slow is not waited for, and the page shows its decision later.

    Raises OrderRefused, and BusError where the broker has not taken the order.
    """
    message_id = await page.party.order(body, training)
    answer = await await_answer(page.store, message_id, PATIENCE_SECONDS)
    if answer is not None and not answer.is_accepted:
        raise OrderRefused(answer.code)
