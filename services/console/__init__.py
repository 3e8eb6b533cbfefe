"""The web console of a daemon: pages for the people behind a buyer, an owner or an aggregator.

Served by the daemon itself, in its event loop. Pages read the daemon's store; whatever acts is a signed
message to the daemon's own queue, as from the command line, and never goes around the runtime.

Adding a page, all in the role's package (`buyer`, `owner`, `aggregator`):

1. *View*: a pure function from store to a frozen dataclass, in `views.py`.
2. *Template*: `templates/<role>/<name>.html` extends `layout.html`; every text stands in `{{ _("…") }}`.
   What the store holds comes from peers: autoescaping stays on, `|safe` is never used, and nothing of theirs
   goes through `_`, whose texts count as markup (values in their places are escaped).
3. *Handler*: `async def name(request)`, which ends in `page_of(request).render("<role>/<name>.html", …)`. A
   GET is for everybody who is signed in, a POST for operators; `@access("operator")` and the like say
   otherwise. Before a POST's handler runs, role, origin and CSRF token have been checked (a form has the
   hidden field `csrf`; htmx sends the token by itself), and the action is logged; `audit(request, …)` adds to
   that line. What a handler raises of our own errors becomes an error page.
4. *Route*: in the section's `routes`, its entry in `navigation`, if it has one.
5. *Live parts*: an entry in the section's `live`: topic → function that renders its fragments by event name.
   The template wraps them in `{% call live("topic", key) %}` and marks each with `sse-swap="event"`.
6. *Translation*: `make messages` finds new texts and adds them to `locale/es/LC_MESSAGES/console.po`.
"""
