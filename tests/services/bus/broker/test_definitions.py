"""What would be imported into a broker, before any broker is asked."""

from pathlib import Path

from services.bus.broker.definitions import definitions_of
from services.bus.broker.passwords import matches, password_hash
from services.bus.broker.topology import NOTHING, ParticipantPlace, Places, topology_of
from services.bus.naming import DEAD_QUEUE

OWNER = "0x" + "a1" * 20


def user_of(password_file: Path | None, known_hash: str) -> dict[str, object]:
    place = ParticipantPlace(role="data_owner", address=OWNER, password_file=password_file)
    definitions = definitions_of(topology_of(Places(participants=(place,))), {OWNER: known_hash})
    [user] = definitions["users"]
    return dict(user)


def password_in(folder: Path, password: str) -> Path:
    file = folder / "password"
    file.write_text(password)
    file.chmod(0o600)
    return file


def test_a_password_that_the_broker_knows_keeps_its_hash(tmp_path: Path) -> None:
    known = password_hash("right")
    user = user_of(password_in(tmp_path, "right"), known)
    assert (user["password_hash"], user["tags"]) == (known, [])


def test_another_password_has_a_hash_of_its_own(tmp_path: Path) -> None:
    user = user_of(password_in(tmp_path, "right"), password_hash("guessed"))
    assert matches("right", str(user["password_hash"]))


def test_without_a_password_file_no_hash_stays() -> None:
    assert user_of(None, password_hash("guessed"))["password_hash"] == ""


def test_everything_but_users_and_virtual_host_says_where_it_belongs() -> None:
    place = ParticipantPlace(role="data_owner", address=OWNER)
    definitions = definitions_of(topology_of(Places(vhost="here", participants=(place,))), {})
    assert definitions["vhosts"] == [{"name": "here"}]
    for section in ("exchanges", "policies", "queues", "bindings", "topic_permissions", "permissions"):
        assert definitions[section]
        assert {definition["vhost"] for definition in definitions[section]} == {"here"}
    assert {definition["configure"] for definition in definitions["permissions"]} == {NOTHING}
    queues = {definition["name"] for definition in definitions["queues"]}
    assert {definition["destination"] for definition in definitions["bindings"]} == queues
    assert DEAD_QUEUE in queues
