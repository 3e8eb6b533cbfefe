"""RabbitMQ's management API over HTTP, as far as provisioning needs it."""

import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
from pydantic import Field
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from services.bus.port import BusRefused, BusUnavailable
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.config.settings import FilePath, Settings, url_of

_SECONDS = 30.0


class _Stumbled(BusRefused):
    """A status of 500 or more, as for a list of which something is deleted meanwhile."""


class ManagementAccess(Settings):
    """The management API and its administrator."""

    url: Annotated[str, url_of("http", "https")] = Field(description="http://host:15672")
    user: Annotated[str, Field(min_length=1)] = Field(description="A user with the tag administrator.")
    password_file: FilePath = Field(description="File whose first line is the user's password.")
    ca_file: FilePath | None = Field(None, description="Authorities (PEM) for https.")


class Management:
    """The management API as far as it is needed here."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """See `connected`."""
        self._session, self._url = session, url

    async def get(self, *path: str) -> Any:
        """The JSON document there, or None; asked three times. Raises BusRefused or BusUnavailable."""
        return await AsyncRetrying(
            retry=retry_if_exception_type(_Stumbled),
            stop=stop_after_attempt(3),
            wait=wait_fixed(0.2),
            reraise=True,
        )(self._request, "GET", path, None)

    async def put(self, *path: str, body: Mapping[str, Any] | None = None) -> None:
        """Create or replace."""
        await self._request("PUT", path, body or {})

    async def post(self, *path: str, body: Mapping[str, Any]) -> Any:
        """Add, or ask."""
        return await self._request("POST", path, body)

    async def delete(self, *path: str) -> None:
        """Remove; what is not there is fine."""
        await self._request("DELETE", path, None)

    async def _request(self, method: str, path: Iterable[str], body: Mapping[str, Any] | None) -> Any:
        place = "/".join(quote(part, safe="") for part in path)
        try:
            async with self._session.request(method, f"{self._url}/api/{place}", json=body) as answer:
                if answer.status == 404:
                    return None
                if answer.status in {401, 403}:
                    raise BusRefused(f"{self._url} refuses {method} {place}: give an administrator's login")
                if answer.status >= 400:
                    reason = (await answer.text())[:300]
                    refusal = BusRefused if answer.status < 500 else _Stumbled
                    raise refusal(f"{self._url} refuses {method} {place}: {answer.status} {reason}")
                return await answer.json() if answer.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BusUnavailable(f"{self._url} does not answer ({type(error).__name__})") from None


@asynccontextmanager
async def connected(access: ManagementAccess) -> AsyncIterator[Management]:
    """A client for the management API; raises ConfigurationError for unusable files."""
    context: ssl.SSLContext | bool = True
    if access.ca_file is not None:
        try:
            context = ssl.create_default_context(cafile=access.ca_file)
        except OSError:
            raise ConfigurationError(f"cannot use {access.ca_file} as a file of authorities") from None
    password = read_passphrase(access.password_file)
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(access.user, password)},
        timeout=aiohttp.ClientTimeout(total=_SECONDS),
        connector=aiohttp.TCPConnector(ssl=context),
    ) as session:
        yield Management(session, access.url.rstrip("/"))
