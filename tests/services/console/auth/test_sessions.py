"""Sessions over time: idle, too old, too many, and after a restart."""

import pytest

from services.console.auth.accounts import Accounts
from services.console.auth.sessions import ABSOLUTE_SECONDS, IDLE_SECONDS, Sessions
from services.store import Store

PASSWORD = "a long enough password"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def accounts(tmp_path):
    found = Accounts(tmp_path / "users.json")
    found.add("olga", PASSWORD, "operator")
    return found


def test_a_session_survives_a_restart_and_ends_when_idle(accounts):
    store, clock = Store(), Clock()
    token = Sessions(store, accounts, clock).start("olga")
    again = Sessions(store, accounts, clock)
    assert again.of(token).account == "olga"
    clock.now += IDLE_SECONDS - 1
    assert again.of(token) is not None
    clock.now += IDLE_SECONDS - 1
    again = Sessions(store, accounts, clock)
    assert again.of(token) is not None, "it was used within the time"
    clock.now += IDLE_SECONDS - 1
    assert again.of(token, used=False) is not None
    clock.now += 2
    assert again.of(token) is None, "to look whether it holds is no use of it"
    assert store.values("console-session:") == {}


def test_a_session_ends_however_much_it_is_used(accounts):
    clock = Clock()
    sessions = Sessions(Store(), accounts, clock)
    token = sessions.start("olga")
    for _ in range(int(ABSOLUTE_SECONDS / 1800) - 1):
        clock.now += 1800
        assert sessions.of(token) is not None
    clock.now += 1800
    assert sessions.of(token) is None


def test_the_oldest_sessions_of_an_account_make_room(accounts):
    clock = Clock()
    store = Store()
    sessions = Sessions(store, accounts, clock)
    tokens = []
    for _ in range(25):
        clock.now += 1
        tokens.append(sessions.start("olga"))
    assert [sessions.of(token) is not None for token in tokens] == [False] * 5 + [True] * 20
    assert len(store.values("console-session:")) == 20


def test_the_store_does_not_hold_the_token(accounts):
    store = Store()
    token = Sessions(store, accounts).start("olga")
    assert token not in str(store.values(""))
