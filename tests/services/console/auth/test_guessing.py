"""Back-off by account, address and known browser."""

import pytest

from services.console.auth.guessing import Attempt, Guesses, SignInLimit

HOUR = 3600


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_waits_double_up_to_the_longest_and_are_forgotten():
    clock = Clock()
    limit = SignInLimit(free=2, longest_seconds=8, clock=clock)
    waits = []
    for _ in range(7):
        limit.count("a")
        waits.append(limit.wait("a"))
        clock.now += waits[-1]
    assert waits == [0, 1, 2, 4, 8, 8, 8]
    assert limit.wait("b") == 0
    clock.now += 100
    limit.count("a")
    assert limit.wait("a") == 0


def test_only_so_many_keys_are_remembered():
    limit = SignInLimit(free=1, longest_seconds=8, most_keys=3)
    for key in "abcd":
        limit.count(key)
    assert [limit.wait(key) > 0 for key in "abcd"] == [False, True, True, True]


def test_an_attempt_counts_before_its_outcome_is_known():
    guesses, attempt = Guesses(Clock()), Attempt("olga", "203.0.113.9")
    assert [guesses.begin(attempt) > 0 for _ in range(60)] == [False] * 5 + [True] * 55


def test_an_attempt_that_must_wait_does_not_count():
    clock = Clock()
    guesses, attempt = Guesses(clock), Attempt("olga", "203.0.113.9")
    for _ in range(60):
        guesses.begin(attempt)
    clock.now += 1
    assert guesses.begin(attempt) == 0


def test_one_address_cannot_keep_an_account_shut_for_others():
    clock = Clock()
    guesses = Guesses(clock)
    stranger, olga = Attempt("olga", "203.0.113.9"), Attempt("olga", "198.51.100.7")
    while clock.now < 12 * HOUR:
        clock.now += max(1.0, guesses.begin(stranger))
        assert guesses.by_account.wait("olga") == 0
    assert guesses.begin(olga) == 0


def test_guesses_from_many_addresses_are_slow_for_all_but_known_browsers():
    guesses = Guesses(Clock())
    tried = [guesses.begin(Attempt("olga", f"203.0.{number // 250}.{number % 250}")) for number in range(500)]
    assert sum(wait == 0 for wait in tried) == 50
    assert guesses.begin(Attempt("olga", "198.51.100.7")) > 0
    assert guesses.begin(Attempt("olga", "203.0.0.0", device="a mark")) == 0


def test_a_known_browser_guesses_no_faster():
    guesses, attempt = Guesses(Clock()), Attempt("olga", "203.0.113.9", device="a mark")
    assert [guesses.begin(attempt) > 0 for _ in range(7)] == [False] * 5 + [True] * 2


def test_signing_in_to_an_own_account_does_not_wipe_the_address_clean():
    clock = Clock()
    guesses = Guesses(clock)
    for number in range(20):
        guesses.begin(Attempt(f"name{number}", "203.0.113.9"))
    clock.now += 1
    own = Attempt("victor", "203.0.113.9")
    assert guesses.begin(own) == 0
    guesses.succeeded(own)
    assert guesses.begin(Attempt("olga", "203.0.113.9")) > 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x", "x"),
    ],
)
def test_who_is_given_a_whole_network_is_one(address, network):
    assert Attempt("olga", address).network == network
