"""Every state that a role comes to, of plain rounds and of checked ones, is shown: no page fails on one."""

import os

import pytest

from protocol.roles.dispatch import decode_state
from protocol.roles.engine.timers import TIMERS
from services.console.aggregator.trainings import PAGES as AGGREGATOR
from services.console.aggregator.views import TIMER_NAMES
from services.console.buyer.trainings import PAGES as BUYER
from services.console.owner.trainings import PAGES as OWNER
from services.console.party import OwnerResources, Party
from services.console.presentation.assets import Assets
from services.console.presentation.rendering import Reader, Templates
from services.data.catalog import Catalog
from services.store import Store
from tests.support.console.world import ADDRESS
from tests.support.daemons.service_world import MARKET
from tests.support.database.stores import offered, writes
from tests.support.roles.golden_states import FOLDER

FILES = sorted(FOLDER.glob("*/**/*.msgpack"))
PAGES = {"model_buyer": BUYER, "data_owner": OWNER, "federated_aggregator": AGGREGATOR}


@pytest.fixture(scope="module")
def templates():
    return Templates(Assets().url)


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_training_in_it_is_shown(path, store, templates, tmp_path):
    role, content = path.stem.split("-")[0], path.read_bytes()
    training = decode_state(role, content).training
    done = writes(training=training, state=content, display_status="IN_PROGRESS")
    store.write_step(offered(store, os.urandom(32), "order:1"), done, 1000.0)
    resources = OwnerResources(Catalog(tmp_path), None) if role == "data_owner" else None
    party = Party(role, ADDRESS, MARKET, store, None, None, resources)
    shown = PAGES[role].live_one(Reader(templates, party, "en"), "order:1")
    has_request = decode_state(role, content).request is not None
    assert has_request == (shown is not None) or role == "federated_aggregator"
    PAGES[role].live_all(Reader(templates, party, "es"))


def test_every_wait_of_an_aggregator_has_a_name():
    hidden = {"opened"}  # of a message that came before the chain's event: nobody need be told
    waits = {
        name
        for name, timer in TIMERS.items()
        if timer.waits_for.partition(":")[0] in {"the aggregator", "everybody", "aggregator and owner"}
    }
    assert waits - hidden == set(TIMER_NAMES)
