"""What a console's section may say, and what is refused with the remedy."""

import pytest

from services.config.console import ConsoleSettings, host_name

TLS = {"certificate_file": "c.pem", "key_file": "k.pem"}


@pytest.mark.parametrize(
    "settings",
    [{"host": "0.0.0.0"}, {"certificate_file": "x"}, {"key_file": "x"}, {"public_url": "ftp://x"}],
)
def test_a_console_that_would_show_passwords_is_refused(settings):
    with pytest.raises(ValueError, match=r"certificate_file|host|http"):
        ConsoleSettings(port=1, **settings)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://x:443", "https://x"),
        ("https://X:443/", "https://x"),
        ("http://x:80", "http://x"),
        ("https://x:8443", "https://x:8443"),
        ("https://köln.example", "https://xn--kln-sna.example"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_a_public_url_is_what_browsers_send(given, meant):
    assert ConsoleSettings(port=1, public_url=given).public_url == meant


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("https://x/deltaml", "host name or a port of its own"),
        ("https://x/?a=b", "host name or a port of its own"),
        ("https://user@x", "leave out"),
        ("https://a b", "no host"),
        ("https://x\0y", "no host"),
        ("https://x:99999", "not a URL"),
        ("https://[::1", "not a URL"),
    ],
)
def test_a_public_url_that_no_browser_could_use(url, remedy):
    with pytest.raises(ValueError, match=remedy):
        ConsoleSettings(port=1, public_url=url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_console_on_every_address_needs_a_name(host):
    with pytest.raises(ValueError, match=r"give public_url, such as https://console\.example:8461"):
        ConsoleSettings(port=8461, host=host, **TLS)
    assert ConsoleSettings(port=8461, host=host, public_url="https://x:8461", **TLS).host == host


def test_a_certificate_under_an_unencrypted_address_is_refused():
    with pytest.raises(ValueError, match="begin it with https"):
        ConsoleSettings(port=1, public_url="http://x", **TLS)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("proxy.example", "not by host name"),
        ("10.0.0.7/8", "perhaps 10.0.0.0/8"),
        ("0.0.0.0/0", "everybody"),
        ("::/0", "everybody"),
        ("10.0.0.0/33", "neither an address nor a range"),
    ],
)
def test_a_proxy_that_would_never_match_or_always_is_refused(given, remedy):
    with pytest.raises(ValueError, match=remedy):
        ConsoleSettings(port=1, trusted_proxies=[given])


@pytest.mark.parametrize(
    ("authority", "name"), [("X:1", "x"), ("[::1]:1", "::1"), ("a@b", None), ("a:b", None)]
)
def test_the_name_in_a_host_header(authority, name):
    assert host_name(authority) == name
