"""The web console's section: under which address it may be opened, and which proxies are believed.

What would be taken and then work for nobody is refused at the start, with what to write instead.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from services.config.settings import FilePath, Settings, url_of

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:[0-9]{0,5})?", re.IGNORECASE)


def host_name(authority: str) -> str | None:
    """The host, in lower case, of what a Host header or a URL says; None where it is malformed."""
    found = _AUTHORITY.fullmatch(authority)
    return None if found is None else found[1].strip("[]").lower()


def origin(value: str) -> str:
    """A URL as browsers write the origin of its pages: lower case, without the scheme's own port.

    Raises ValueError for one that no console can be shown at.
    """
    parts = urlsplit(value)
    if parts.username is not None:
        raise ValueError("names a user: leave out what stands before '@'")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"{value[:200]!r} has a path, and the console stands at the root of its host: give it a host "
            "name or a port of its own, such as https://console.example"
        )
    url = URL(value).origin()
    if host_name(url.raw_authority) is None:
        raise ValueError(f"{value[:200]!r} names no host that a browser could ask for")
    return str(url)


def proxy(value: str) -> str:
    """A proxy's address, or a range of them, as a network; raises ValueError for anything else."""
    try:
        network = ip_network(value)
    except ValueError:
        raise ValueError(
            f"{value[:100]!r} is neither an address nor a range: give proxies by address (10.0.0.7) or range "
            f"(10.0.0.0/8, where the bits beyond the prefix are 0), not by host name{_meant(value)}"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"{value} is everybody, who could then claim any address: give your proxies' range")
    return str(network)


def _meant(value: str) -> str:
    try:
        return f"; perhaps {ip_network(value, strict=False)}"
    except ValueError:
        return ""


class ConsoleSettings(Settings):
    """The web console that the daemon serves; make its accounts with: deltaml console user add."""

    host: str = Field("127.0.0.1", description="Address to listen on; others than loopback need TLS.")
    port: int = Field(ge=0, le=65535, description="Port to listen on; 0 for any that is free.")
    users_file: FilePath = Field(
        Path("console-users.json"), description="File of the accounts, made by the command."
    )
    certificate_file: FilePath | None = Field(None, description="Certificate (PEM) of the console, for TLS.")
    key_file: FilePath | None = Field(None, description="The certificate's private key (PEM).")
    public_url: Annotated[str, url_of("http", "https"), AfterValidator(origin)] | None = Field(
        None, description="Where browsers open the console, such as https://console.example; has no path."
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(proxy)], ...] = Field(
        (), description="Addresses or ranges (10.0.0.0/8) of proxies whose X-Forwarded-For is believed."
    )

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies, to compare addresses with."""
        return tuple(ip_network(value) for value in self.trusted_proxies)

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: give both or none")
        encrypted = self.certificate_file is not None or (self.public_url or "").startswith("https://")
        if self.host not in LOOPBACK and not encrypted:
            raise ValueError(
                f"host {self.host} shows passwords to the network: give certificate_file and key_file, or "
                "the public_url (https) of the proxy that encrypts"
            )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.public_url is None and _is_every_address(self.host):
            raise ValueError(
                f"host {self.host!r} listens on every address, which is none that a browser can open: give "
                f"public_url, such as https://console.example:{self.port}"
            )
        if self.certificate_file is not None and (self.public_url or "").startswith("http://"):
            raise ValueError(
                f"public_url {self.public_url} is not encrypted and certificate_file is given: begin it with "
                "https://"
            )
        return self


def _is_every_address(host: str) -> bool:
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False
