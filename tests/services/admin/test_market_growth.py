"""Parties that come: what is refused before anything is made."""

import asyncio

import pytest

from protocol.errors import MisuseError
from services.admin.market_growth import Newcomer, add_party
from services.admin.market_process import members
from services.common.errors import ConfigurationError

LATE = "0x" + "1a" * 20
ROLES = ("buyer", "aggregator", "owner-1")


def refused(folder, name, role="data_owner", **values):
    with pytest.raises((MisuseError, ConfigurationError)) as error:
        asyncio.run(add_party(Newcomer(folder, name, role, **values), print))
    assert not (folder / name / "keys").exists() or name in ROLES
    return str(error.value)


def test_a_name_is_a_folder_s_and_nobody_else_s(market_folder):
    for name in ("", "Clinic", "../clinic", "a b", "1st", "x" * 32, "deployer", "logs", "owner\n"):
        assert "is no name for a new party" in refused(market_folder, name)


def test_a_party_has_one_account_and_an_account_is_one_party_s(market_folder):
    (known,) = (one.address for one in members(market_folder) if one.name == "owner-1")
    told = f"owner-1 is in this market already, with the account {known}"
    assert told in refused(market_folder, "owner-1", address=LATE)
    assert told in refused(market_folder, "clinic", address=known)
    (market_folder / "owner-1" / "keys" / "keystore.json").unlink()
    again = refused(market_folder, "owner-1")
    assert again == f"owner-1 has its keys elsewhere: give --address {known}"


def test_what_cannot_be_is_told_before_anything_is_made(market_folder):
    assert "in this market already, as data-owner" in refused(
        market_folder, "owner-1", "federated_aggregator"
    )
    values = {"address": LATE, "data": market_folder / "rows.csv"}
    assert "adds its rows itself" in refused(market_folder, "clinic", **values)
    for old in ("nobody", "owner-1", "second"):
        assert "no other aggregator" in refused(market_folder, "second", "federated_aggregator", replaces=old)
    (market_folder / "notes").mkdir()
    assert "no party's" in refused(market_folder, "notes")
