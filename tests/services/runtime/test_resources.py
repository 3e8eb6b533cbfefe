"""How long an effect waits for its next turn."""

from services.runtime.resources import Pace


def test_the_pause_doubles_up_to_its_bound():
    pace = Pace(first_pause=0.5, longest_pause=3.0)
    assert [pace.pause_after(attempts, away=False) for attempts in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert pace.pause_after(10**6, away=False) == 3.0


def test_what_waits_for_broker_or_node_goes_on_soon_after_they_are_back():
    pace = Pace(first_pause=0.5, longest_pause=60.0, away_pause=1.5)
    assert [pace.pause_after(attempts, away=True) for attempts in range(4)] == [0.5, 1.0, 1.5, 1.5]
    assert Pace(longest_pause=1.0, away_pause=4.0).pause_after(9, away=True) == 1.0
