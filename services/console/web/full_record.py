"""A training's rounds, events and transactions in full; its live page has the newest of each."""

from typing import cast

from aiohttp import web

from protocol.roles.dispatch import decode_state
from services.console.presentation.timeline import timeline
from services.console.presentation.training_record import RoleState
from services.console.web.access import page_of
from services.console.web.pages import or_not_found
from services.records.chain_history import chain_story, curve


async def show(request: web.Request) -> web.StreamResponse:
    """The page, the same for every role."""
    page, key = page_of(request), request.match_info["key"]
    row = or_not_found(page.store.instance(key))
    story = chain_story(page.store, row.training)
    state = cast(RoleState, decode_state(page.context.party.role, row.state))
    return page.render(
        "training/full_record.html",
        key=key,
        number=row.training,
        curve=curve(story, state.request),
        story=story,
        paid_in=page.party.assets.of(story.token),
        timeline=timeline(page.store.facts(key), story),
    )
