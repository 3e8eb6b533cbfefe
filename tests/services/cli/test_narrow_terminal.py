"""On a terminal of 80 columns every listing shows addresses, hashes, keys and times whole."""

import re
from contextlib import closing

import pytest
import yaml
from typer.testing import CliRunner

from protocol.codec import pack
from protocol.marketplace import Credited
from protocol.messages.examples import any_request
from protocol.owner_policy import OwnerPolicy
from services.bus.broker.dead_letter_queue import Letter
from services.cli import app
from services.cli import dead_letters as dead_letters_module
from services.cli.tables import print_moments, print_table
from services.records.offers import Asking, asking_value
from services.records.owner_account import ORDERED_POLICY
from tests.deltaml.participant_files import participant
from tests.support.console.owner import BUYER, count
from tests.support.console.trainings import OWNERS, finished_training, tell
from tests.support.daemons.offers import OfferMarket, card

PLACE = re.compile(r"0x[0-9a-fA-F]*")
WHOLE = {42, 66}
TIME = re.compile(r"\d{4}-\d\d-\d\d(?!\d)(?:T\d\d:\d\d:\d\dZ)?")
KEY = f"order:{1:032x}"


def shown(*arguments):
    """What a command prints on a terminal of 80 columns."""
    environment = {"COLUMNS": "80", "NO_COLOR": "1"}
    result = CliRunner(env=environment).invoke(app, [str(one) for one in arguments])
    assert result.exit_code in (0, 1), result.output
    return result.output


def assert_whole(text, *expected):
    """Nothing that begins like an address or a hash is broken, and what is expected is there."""
    assert {len(place) for place in PLACE.findall(text)} <= WHOLE, text
    assert all(len(time) == 20 for time in TIME.findall(text)), text
    for one in expected:
        assert one in text, (one, text)


@pytest.fixture
def buyer(tmp_path):
    """A buyer with a finished training whose first owner was late, two data sets on offer, and names."""
    config, _address, store = participant(tmp_path, "model-buyer", names={OWNERS[0]: "Clinic of the North"})
    finished_training(store)
    late = {"participant": OWNERS[0], "round": 1, "attempt": 1, "code": "update_late"}
    for name, data in (("dropped", late), ("round_recorded", {"round": 1})):
        store.note(KEY, (name, data), 1_700_000_000.0)
    with closing(OfferMarket()) as market:
        for owner in OWNERS:
            market.announce(owner, card("patients of the whole region", licence="CC-BY-4.0"))
        market.ask()
        for name, content in market.store.values("told:").items():
            store.put_value(f"told:{name}", content)
        asking = Asking(order=bytes(16), asked_at=1_700_000_000, told_at=1_700_000_000)
        for name, content in asking_value(market.hub.address, asking).items():
            store.put_value(name, content)
        document = yaml.safe_load(config.read_text()) | {"aggregators": [market.hub.address]}
        config.write_text(yaml.safe_dump(document))
        request = tmp_path / "request.yaml"
        asked = any_request().model_dump(mode="json") | {"aggregator": market.hub.address}
        request.write_text(yaml.safe_dump(asked))
    yield config, request
    store.close()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("show",), ()),
        (("trainings",), ()),
        (("show", "1"), (OWNERS[0], KEY)),
        (("history",), ()),
        (("history", "--training", "1"), (OWNERS[0], KEY)),
        (("history", "--failures"), (OWNERS[0],)),
        (("earnings",), ()),
        (("market", "cards", "--stored"), (*OWNERS, card("patients of the whole region").name)),
        (("market", "columns", "--stored"), ("progression",)),
    ],
    ids=" ".join,
)
def test_a_buyers_listings(buyer, command, expected):
    text = shown(*command, "--config", buyer[0])
    assert_whole(text, *expected)
    if OWNERS[0] in expected:
        assert f"Clinic of the North {OWNERS[0]}" in " ".join(text.split())


def test_a_match_beside_the_request(buyer):
    config, request = buyer
    text = shown("market", "match", request, "--config", config, "--stored")
    assert_whole(text, *OWNERS)


@pytest.fixture
def owner(tmp_path):
    """An owner that was paid once, with a policy of two buyers, one of them named, and a budget used."""
    config, address, store = participant(tmp_path, "data-owner", names={BUYER: "University of the South"})
    for share in ("contribution", "participation", "validation"):
        tell(store, 7, Credited(training=7, account=address, share=share, amount=123_456_789_012_345_678))
    count(store, 7, data_set="patients of the whole region")
    store.put_value(ORDERED_POLICY, pack(OwnerPolicy(automatic=True, buyers=(BUYER, OWNERS[0]))))
    yield config, address
    store.close()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("show",), ()),
        (("earnings",), ("0.123456789012345678",)),
        (("earnings", "--by", "month"), ("2023-11",)),
        (("policy", "show"), (BUYER, OWNERS[0])),
        (("budget",), (BUYER,)),
        (("datasets", "list"), ()),
    ],
    ids=" ".join,
)
def test_an_owners_listings(owner, command, expected):
    assert_whole(shown(*command, "--config", owner[0]), *expected)


def test_a_key_stores_address_and_key(owner, tmp_path):
    assert_whole(shown("keys", "show", "--keystore", tmp_path / "data-owner-keys"), owner[1])


def test_dead_letters(monkeypatch):
    texts = dict.fromkeys(Letter.__dataclass_fields__, "")
    letter = Letter(**{**texts, "message_id": "5e" * 16, "sender": OWNERS[0], "reason": "refused"})
    monkeypatch.setattr(dead_letters_module, "_on_queue", lambda *_: [letter])
    assert_whole(shown("admin", "dead-letters", "list", "broker.yaml"), "5e" * 16, OWNERS[0])


def test_no_column_is_left_out_where_rows_become_lines(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    print_table(
        ("who", "hash", "why"), [(OWNERS[0], "0x" + "ab" * 32, "a\nb"), (OWNERS[1], None, ["c", "d"])]
    )
    print_moments([(0.0, "dropped", f"participant={OWNERS[0]}, code=update_late")])
    assert capsys.readouterr().out.splitlines() == [
        f"who   {OWNERS[0]}",
        f"hash  0x{'ab' * 32}",
        "why   a",
        "      b",
        "",
        f"who   {OWNERS[1]}",
        "why   c d",
        "1970-01-01T00:00:00Z  dropped",
        f"    participant={OWNERS[0]},",
        "    code=update_late",
    ]
