"""A training's rounds, events and transactions in full; its live page has the newest of each."""

from aiohttp import web

from services.console.presentation.timeline import timeline
from services.console.web.access import page_of
from services.records.chain_history import chain_story, curve


async def show(request: web.Request) -> web.StreamResponse:
    """The page, the same for every role."""
    page, key = page_of(request), request.match_info["key"]
    store = page.store
    row = store.instance(key)
    if row is None:
        raise web.HTTPNotFound
    story = chain_story(store, row.training)
    return page.render(
        "training/everything.html",
        key=key,
        number=row.training,
        curve=curve(story.rounds),
        story=story,
        timeline=timeline(store.facts(key), story),
    )
