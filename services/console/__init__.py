"""The web console of a daemon: pages for the people behind a buyer, an owner or an aggregator.

Served by the daemon itself, in its event loop. Pages read the daemon's store; whatever acts is a signed
message to the daemon's own queue, as from the command line, and never goes around the runtime.

`app` puts a console together and serves it, `party` is what the daemon hands to it. Below them, from the top:
the sections `buyer`, `owner` and `aggregator`, one for each role and none knowing another; `web`, what
happens to every request; `auth` and `presentation`. Each imports only what stands below it.

Adding a page, all in the role's section:

1. *View*: what the page shows beyond the store's own rows, read out of the store, in `views.py`.
2. *Template*: `templates/<role>/<page>.html` extends `layout.html`; every text stands in `{{ _("…") }}`.
   What the store holds comes from peers: autoescaping stays on, `|safe` is never used, and nothing of theirs
   goes through `_`, whose texts count as markup (values in their places are escaped).
3. *Handler*: `async def name(request)` in `<page>.py`, which ends in
   `page_of(request).render("<role>/<page>.html", …)`. A GET is for everybody who is signed in, a POST for
   operators; `@access("operator")` and the like say otherwise. Before a POST's handler runs, role, origin and
   CSRF token have been checked (a form has the hidden field `csrf`; htmx sends the token by itself), and the
   action is logged; `audit(request, …)` adds to that line. `or_not_found(…)` answers 404 for None,
   `page.problem(…)` says what cannot be done; what a handler raises of our own errors becomes such a page.
4. *Route*: in `section.py`, among the `routes`, and in `navigation` if it has an entry there.
5. *Live parts*: an entry in the section's `live`: topic → function that renders its fragments by event name.
   The template imports `macros.html` with context, wraps them in `{% call macros.live("topic", key) %}` and
   marks each with `sse-swap="event"`. A part of a training's page is a template under `<role>/training/` or
   `training/`, named in the role's `TrainingPages` and included by `<role>/training.html`.
6. *Translation*: `make messages` finds new texts and adds them to `locale/es/LC_MESSAGES/console.po`.
   Translate them there: a test fails until all are.
7. *Tests*: `tests/services/console/<role>/test_<page>.py`; in a browser `tests/browser/`. A scene of the page
   in `tests/support/console/gallery.py` has it looked at in every width: nothing may be cut, be without a
   label or be a name for programs. `make screenshots` takes pictures of all scenes; `make campaigns` has axe
   look at all of them, in every language and colour scheme.
"""
