"""The two pages of a daemon's port for metrics: /metrics and /health."""

from collections.abc import Collection

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from services.common.errors import StoreUnavailable
from services.observability.health import Health
from services.observability.host_names import answering_to


def application_of(collector: Collector, health: Health | None, names: Collection[str]) -> web.Application:
    """What answers requests to these `names`; see `prometheus.serving`."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)

    async def metrics(_request: web.Request) -> web.Response:
        try:
            content = generate_latest(registry)
        except StoreUnavailable as error:
            return web.Response(text=f"{error}\n", status=503)
        return web.Response(body=content, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def answer(_request: web.Request) -> web.Response:
        document = {"status": "ok"} if health is None else health.document()
        return web.json_response(document, status=200 if document["status"] == "ok" else 503)

    application = web.Application(middlewares=[answering_to(names)])
    application.add_routes([web.get("/metrics", metrics), web.get("/health", answer)])
    return application
