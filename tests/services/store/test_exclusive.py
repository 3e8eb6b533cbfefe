"""One daemon for one store, however the last one ended; others may look."""

import signal
import subprocess
import sys

import pytest

from services.common.errors import ConfigurationError, StoreInUse
from services.store import Store
from tests.support.database.stores import full_writes, offered

_HOLDER = """
import sys, time
from services.store import Store
store = Store(sys.argv[1], exclusive=True)
print("open", flush=True)
time.sleep(600)
"""


def test_a_second_daemon_is_refused_until_the_first_has_ended(store_url):
    first = Store(store_url, exclusive=True)
    first.write_step(offered(first), full_writes(), now=0.0)
    with pytest.raises(StoreInUse, match=r"another process works on the store .*: stop its daemon first"):
        Store(store_url, exclusive=True)
    beside = Store(store_url, existing=True)
    assert [row.key for row in beside.instances()] == ["1"]
    beside.close()
    first.close()
    second = Store(store_url, exclusive=True)
    assert second.instance("1") is not None
    second.close()


def test_a_daemon_that_was_killed_keeps_nobody_out(store_url):
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, store_url], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"open\n"
    with pytest.raises(StoreInUse):
        Store(store_url, exclusive=True)
    holder.send_signal(signal.SIGKILL)
    holder.wait(300)
    holder.stdout.close()
    Store(store_url, exclusive=True).close()


def test_who_only_looks_makes_no_store(tmp_path):
    missing = tmp_path / "none.sqlite"
    with pytest.raises(ConfigurationError, match="there is no store"):
        Store(f"sqlite:///{missing}", existing=True)
    assert not missing.exists()


def test_an_empty_database_is_no_store_for_who_only_looks(postgresql):
    with pytest.raises(ConfigurationError, match="not a daemon's store"):
        Store(postgresql, existing=True)


@pytest.mark.parametrize("url", ["mysql://host/name", "oracle://host", "no url"])
def test_other_databases_are_refused(url):
    with pytest.raises(ConfigurationError):
        Store(url)
