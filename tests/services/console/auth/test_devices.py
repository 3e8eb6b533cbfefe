"""Marks of browsers that have signed in before."""

from services.console.auth.devices import KnownDevices
from services.store import Store


def test_a_mark_is_for_one_account_and_survives_a_restart():
    store = Store()
    devices = KnownDevices(store)
    cookie = devices.cookie("olga")
    assert devices.mark(cookie, "olga") == KnownDevices(store).mark(cookie, "olga") is not None
    assert devices.mark(cookie, "victor") is None
    assert KnownDevices(Store()).mark(cookie, "olga") is None


def test_what_is_no_mark():
    devices = KnownDevices(Store())
    mark, _point, code = devices.cookie("olga").partition(".")
    for made_up in ("", ".", code, f"{mark}.", f"{mark}x.{code}", f"{mark}.{code}0", "\udcff.\udcff", "é.é"):
        assert devices.mark(made_up, "olga") is None
