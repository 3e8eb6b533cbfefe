import pytest

from services.common.urls import is_url


@pytest.mark.parametrize("text", ["http://a", "https://a:1/x?y", "http://u:p@[::1]:8545", "HTTP://a"])
def test_what_is_one(text):
    assert is_url(text, ("http", "https"))


@pytest.mark.parametrize(
    "text", ["", "a", "a:8545", "http:", "http://", "http://:1", "ftp://a", "http://[a", "http://a:99999"]
)
def test_what_is_none_is_told_without_an_error(text):
    assert not is_url(text, ("http", "https"))
