from pathlib import Path
from unicodedata import normalize

import pytest
import yaml
from pydantic import BaseModel

from protocol.admission_policy import AdmissionPolicy
from protocol.bond_policy import BondPolicy, TokenBond
from protocol.owner_policy import Budget, Limit, OwnerPolicy
from services.common.errors import ConfigurationError
from services.config.daemons import KINDS, load

ADDRESS = "0x" + "AB" * 20
LOWER = ADDRESS.lower()
OTHER = "0x" + "cd" * 20
SECRET = "hunter2hunter2"


def document(kind, **changes):
    values = {
        "daemon": kind,
        "broker": {"url": "amqps://owner@broker.example:5671/deltaml", "password_file": "broker-password"},
        "chain": {"url": "https://node.example/", "chain_id": 1, "contract": ADDRESS},
    }
    if kind != "chain-listener":
        values |= {"keystore": "keys", "passphrase_file": "/run/secrets/passphrase"}
    if kind == "data-owner":
        values["aggregators"] = [ADDRESS]
    if kind == "aggregator":
        values["admitted"] = [ADDRESS] * 4
    return values | changes


def write(tmp_path, values):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def refusal(tmp_path, values, kind=None):
    path = write(tmp_path, values)
    with pytest.raises(ConfigurationError) as refused:
        load(path, kind)
    assert str(path) in str(refused.value)
    assert SECRET not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_daemon_starts_from_what_cannot_be_guessed(tmp_path, kind):
    config = load(write(tmp_path, document(kind)), kind)
    assert config == load(tmp_path / "config.yaml")
    assert config.chain.confirmations == 12
    assert config.chain.contract == LOWER
    assert config.log.style == "json"


def test_the_owner_of_data_decides_unless_told_otherwise(tmp_path):
    config = load(write(tmp_path, document("data-owner")), "data-owner")
    assert config.policy == OwnerPolicy()
    assert not config.policy.automatic
    policy = {"automatic": True, "buyers": [ADDRESS], "minimum_pay_wei": 10**20, "withdraw": False}
    config = load(write(tmp_path, document("data-owner", policy=policy)), "data-owner")
    wanted = OwnerPolicy(automatic=True, buyers=(LOWER,), minimum_pay_wei=10**20, withdraw=False)
    assert config.policy == wanted


def test_a_buyer_admits_whom_its_aggregator_admits_unless_told_otherwise(tmp_path):
    config = load(write(tmp_path, document("model-buyer")), "model-buyer")
    assert config.admission.policy(config.names) == AdmissionPolicy()


def test_a_buyer_names_owners_by_address_or_by_their_names(tmp_path):
    admission = {"owners": ["Clinic North", OTHER], "cards": ["0x" + "C1" * 32], "others": "ask"}
    changes = {"names": {ADDRESS: "Clinic North"}, "admission": admission}
    config = load(write(tmp_path, document("model-buyer", **changes)), "model-buyer")
    expected = AdmissionPolicy(owners=(LOWER, OTHER), cards=("c1" * 32,), others="ask")
    assert config.admission.policy(config.names) == expected


@pytest.mark.parametrize(
    ("admission", "says"),
    [
        ({"owners": ["Clinic South"], "others": "refuse"}, "admission: 'Clinic South' is no address"),
        ({"owners": [OTHER]}, "admission: owners or cards are listed, and all others are admitted too"),
        (
            {"cards": ["c1"], "others": "ask"},
            "admission.cards.0: must be a card's hash: 64 hexadecimal digits",
        ),
        ({"others": "nobody"}, "admission.others: must be one of admit, ask, refuse"),
        ({"owner": [OTHER]}, "admission.owner: unknown key; did you mean 'owners'?"),
    ],
)
def test_an_admission_that_cannot_be_meant_is_refused_with_the_remedy(tmp_path, admission, says):
    told = refusal(tmp_path, document("model-buyer", names={ADDRESS: "Clinic North"}, admission=admission))
    assert says in told


def test_a_limit_for_a_buyer_takes_an_address_in_any_case(tmp_path):
    limits = [{"data_set": "rows", "buyer": ADDRESS, "numbers": 2}, {"data_set": "rows", "numbers": 9}]
    policy = {"buyers": [ADDRESS], "budget": {"in_total": 5, "limits": limits}}
    config = load(write(tmp_path, document("data-owner", policy=policy)), "data-owner")
    of_buyer, of_all = (
        Limit(data_set="rows", buyer=LOWER, numbers=2),
        Limit(data_set="rows", numbers=9),
    )
    assert config.policy.budget == Budget(in_total=5, limits=(of_buyer, of_all))
    assert config.policy.buyers == (LOWER,)


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "owner"
    folder.mkdir()
    path = write(folder, document("data-owner", store="state/owner.sqlite"))
    monkeypatch.chdir(tmp_path)
    config = load(path.relative_to(tmp_path), "data-owner")
    assert config.keystore == folder / "keys"
    assert config.catalogue == folder / "datasets"
    assert config.passphrase_file == Path("/run/secrets/passphrase")
    assert config.broker.password_file == folder / "broker-password"
    assert config.store == f"sqlite:///{folder}/state/owner.sqlite"
    config = load(write(folder, document("data-owner", keystore="~/keys")), "data-owner")
    assert config.keystore == Path.home() / "keys"
    assert config.store == f"sqlite:///{folder}/state.sqlite"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_database_by_url_with_its_password_in_a_file(tmp_path, scheme):
    url = f"{scheme}://owner@db.example/deltaml?sslmode=verify-full"
    config = load(write(tmp_path, document("data-owner", store=url)))
    assert (config.store, config.store_password()) == (url, None)
    secret = tmp_path / "database-password"
    secret.write_text("of the database\n")
    secret.chmod(0o600)
    named = load(write(tmp_path, document("data-owner", store=url, store_password_file=secret.name)))
    assert named.store_password() == "of the database"
    secret.chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be reached by others"):
        named.store_password()


def test_other_databases_are_refused(tmp_path):
    assert "begins with postgresql" in refusal(
        tmp_path, document("data-owner", store="postgresql+pg8000://d/x")
    )
    assert "begins with postgresql" in refusal(tmp_path, document("data-owner", store="mysql://db/deltaml"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"keystor": "x"}, "keystor: unknown key; did you mean 'keystore'?"),
        ({"console": {"prot": 1}}, "console.prot: unknown key; did you mean 'port'?"),
        (
            {"policy": {"budget": {"limits": [{"data_set": "rows", "nmbers": 1}]}}},
            "policy.budget.limits.0.nmbers: unknown key; did you mean 'numbers'?",
        ),
        ({"policy": {"buyers": ["0x12"]}}, "policy.buyers.0: must be an address"),
        ({"zzz": "x"}, "zzz: unknown key; known are broker, chain, store, store_password_file, "),
        ({"policy": {"automatik": True}}, "policy.automatik: unknown key; did you mean 'automatic'?"),
        ({"passphrase": SECRET}, "passphrase: unknown key; did you mean 'passphrase_file'?"),
        ({"broker": {"url": f"amqp://u:{SECRET}@h/"}}, "broker.url: holds a password; put it into a file"),
        ({"broker": {"url": f"http://{SECRET}/"}}, "broker.url: must be a URL that begins with amqp://"),
        ({"broker": {"url": f"amqp://h:{SECRET}/"}}, "broker.url: is not a URL"),
        ({"store": f"postgresql://u:{SECRET}@h/d"}, "store: holds a password"),
        ({"store": f"postgresql://u@h/d?password={SECRET}"}, "store: holds a password"),
        ({"log": {"level": "loud"}}, "log.level: must be one of debug, info"),
        ({"aggregators": []}, "aggregators: must have 1 or more items, and has 0"),
        ({"aggregators": ["0x12"]}, "aggregators.0: must be an address: 0x"),
        ({"workers": -1}, "workers: must be 0 or more"),
        (
            {"rounds": "plain"},
            "rounds: plain is no more: let the trainings of this market end with the version",
        ),
    ],
)
def test_wrong_values_are_refused_by_key_with_the_remedy(tmp_path, changes, says):
    assert says in refusal(tmp_path, document("data-owner") | changes)


def test_how_rounds_are_run_may_stand_there_as_earlier_versions_wrote_it(tmp_path):
    named = load(write(tmp_path, document("data-owner") | {"rounds": "checked"}))
    assert named == load(write(tmp_path, document("data-owner")))


def test_a_misspelt_confirmation_depth_is_not_the_default(tmp_path):
    values = document("chain-listener")
    values["chain"]["confirmation"] = 30
    says = refusal(tmp_path, values)
    assert "chain.confirmation: unknown key; did you mean 'confirmations'?" in says


def test_a_depth_at_which_no_owner_would_reveal_in_time_is_refused(tmp_path):
    values = document("data-owner")
    values["chain"]["confirmations"] = 256
    assert "chain.confirmations: must be 200 or less" in refusal(tmp_path, values)


def test_every_mistake_is_told_at_once(tmp_path):
    values = document("aggregator", admitted=[ADDRESS])
    del values["keystore"]
    values["chain"]["chain_id"] = 0
    says = refusal(tmp_path, values)
    for part in ("keystore: is missing", "admitted: must have 4 or more", "chain.chain_id"):
        assert part in says


def test_a_daemon_does_not_start_on_another_ones_file(tmp_path):
    says = refusal(tmp_path, document("aggregator"), "data-owner")
    assert "configures the daemon aggregator; give the file of data-owner" in says
    for named in (None, "owner", ["data-owner"]):
        says = refusal(tmp_path, document("data-owner", daemon=named), "data-owner")
        assert "daemon: must be one of model-buyer, data-owner, aggregator, chain-listener" in says


def models(model):
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from models(field.annotation)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_explained(kind):
    for model in models(KINDS[kind]):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


def test_a_name_is_that_of_one_party_and_an_address_may_be_in_any_case(tmp_path):
    named = document("data-owner", names={ADDRESS: "Hub"})
    assert load(write(tmp_path, named)).names == {LOWER: "Hub"}
    twice = {LOWER: "Hub", "0x" + "cd" * 20: "Hub"}
    says = refusal(tmp_path, document("data-owner", names=twice))
    assert "names: the name 'Hub' is given to two parties" in says
    assert "names" in refusal(tmp_path, document("data-owner", names={"0x12": "Hub"}))


def test_a_policys_columns_are_named_as_requests_name_them(tmp_path):
    path = write(tmp_path, document("data-owner", policy={"columns": [normalize("NFD", "café")]}))
    assert load(path, "data-owner").policy.columns == ("café",)


def test_tokens_are_known_by_address_symbol_and_decimals(tmp_path):
    tokens = [{"address": ADDRESS, "symbol": "USDC", "decimals": 6}]
    config = load(write(tmp_path, document("model-buyer", tokens=tokens)), "model-buyer")
    assert config.assets.of(LOWER).shown(2_500_000) == "2.5 USDC"
    assert config.worth_of(LOWER, 2_500_000) == 0, "nobody says what it is worth"
    valued = [{**tokens[0], "worth_wei": 4 * 10**14}]
    config = load(write(tmp_path, document("model-buyer", tokens=valued)), "model-buyer")
    assert config.worth_of(LOWER, 2_500_000) == 10**15
    assert config.worth_of("0x" + "cd" * 20, 2_500_000) == 0


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ([("USDC", ADDRESS), ("USDT", LOWER)], f"two tokens have the address '{LOWER}'"),
        ([("USDC", ADDRESS), ("usdc", "0x" + "cd" * 20)], "two tokens have the symbol 'usdc'"),
        ([("ETH", ADDRESS)], "is a unit of ether"),
        ([("UЅDC", ADDRESS)], "tokens.0.symbol"),
        ([("a symbol", ADDRESS)], "tokens.0.symbol"),
        ([("USDC", "0x12")], "tokens.0.address"),
    ],
)
def test_tokens_that_could_be_taken_for_others_are_refused(tmp_path, tokens, told):
    listed = [{"address": address, "symbol": symbol, "decimals": 6} for symbol, address in tokens]
    assert told in refusal(tmp_path, document("model-buyer", tokens=listed))


def test_a_policy_names_each_token_once_and_ether_by_its_own_field(tmp_path):
    for tokens, told in (
        ([{"token": LOWER}, {"token": LOWER}], "is listed twice"),
        ([{"token": "0x" + "0" * 40}], "give minimum_pay_wei"),
    ):
        assert told in refusal(tmp_path, document("data-owner", policy={"tokens": tokens}))


def test_the_bonds_of_an_aggregator_are_none_until_some_are_set(tmp_path):
    assert load(write(tmp_path, document("aggregator"))).bonds == BondPolicy()
    given = {"most_bond_wei": 5, "tokens": [{"token": ADDRESS, "most_bond": 7}]}
    wanted = BondPolicy(most_bond_wei=5, tokens=(TokenBond(token=LOWER, most_bond=7),))
    assert load(write(tmp_path, document("aggregator", bonds=given))).bonds == wanted
    assert "bonds.most_bond_wei" in refusal(tmp_path, document("aggregator", bonds={"most_bond_wei": -1}))
