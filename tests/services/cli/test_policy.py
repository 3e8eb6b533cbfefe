"""`deltaml policy` and `deltaml budget`: what they read, and what they ask of the daemon."""

import re
from pathlib import Path
from unicodedata import normalize

import pytest
import yaml

from protocol.codec import pack
from protocol.messages import PolicyOrder
from protocol.owner_policy import Budget, Limit, OwnerPolicy, TokenPay
from protocol.roles.owner.budget import count_numbers
from services.config.daemons import load
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.records.owner_account import ORDERED_POLICY
from services.store import Store
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.order_answers import answered_orders
from tests.support.deployment.documents import any_request

BUYER = "0x" + "b1" * 20
TOKEN, OTHER_TOKEN = "0x" + "70" * 20, "0x" + "71" * 20
YAML = {
    "daemon": "data-owner",
    "broker": {"url": "amqp://owner@127.0.0.1:5672/deltaml"},
    "chain": {"url": "http://127.0.0.1:8545", "chain_id": 31337, "contract": "0x" + "c0" * 20},
    "keystore": "keys",
    "passphrase_file": "passphrase",
    "aggregators": ["0x" + "a1" * 20],
    "policy": {"automatic": True, "minimum_pay_wei": 5, "budget": {"per_buyer": 2}},
}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(YAML))
    return path


@pytest.fixture
def store(config):
    made = Store(load(config).store)
    yield made
    made.close()


@pytest.fixture
def orders(monkeypatch):
    """What goes to a daemon that accepts every order."""
    return answered_orders(monkeypatch, OrderAnswer(ACCEPTED))


@pytest.mark.usefixtures("store")
def test_the_configurations_policy_holds_until_another_is_ordered(config, store):
    shown = run_json("policy", "show", "--config", str(config))
    assert shown["source"] == "configuration"
    assert shown["policy"]["minimum_pay_wei"] == "5"
    store.put_value(ORDERED_POLICY, pack(OwnerPolicy(columns=("x",))))
    shown = run_json("policy", "show", "--config", str(config))
    assert (shown["source"], shown["policy"]["columns"]) == ("order", ["x"])


@pytest.mark.usefixtures("store")
def test_set_changes_what_it_names_and_keeps_the_rest(config, orders):
    run(
        "policy",
        "set",
        "--config",
        str(config),
        "--no-automatic",
        "--buyers",
        BUYER.upper().replace("X", "x"),
    )
    [order] = orders
    kept = {"minimum_pay_wei": 5, "budget": Budget(per_buyer=2)}
    assert order == PolicyOrder(policy=OwnerPolicy(automatic=False, buyers=(BUYER,), **kept))
    run("policy", "reset", "--config", str(config))
    assert orders[1] == PolicyOrder(policy=None)


def test_set_starts_from_the_policy_in_force(config, store, orders):
    store.put_value(ORDERED_POLICY, pack(OwnerPolicy(automatic=True, columns=("x", "y"))))
    run("policy", "set", "--config", str(config), "--columns", "all", "--data-sets", "rows, more")
    assert orders == [PolicyOrder(policy=OwnerPolicy(automatic=True, data_sets=("rows", "more")))]
    run("policy", "set", "--config", str(config), "--columns", normalize("NFD", "café, thé"))
    assert orders[1].policy.columns == ("café", "thé"), "as requests and rows name them"


@pytest.mark.usefixtures("store")
def test_the_least_pay_is_given_with_its_unit_and_shown_in_either(config, orders):
    run("policy", "set", "--config", config, "--minimum-pay", "0.1 ETH")
    assert orders[0].policy.minimum_pay_wei == 10**17
    assert "0.000000000000000005 ETH" in run("policy", "show", "--config", config).stdout
    assert " 5 wei " in run("policy", "show", "--config", config, "--wei").stdout


@pytest.mark.usefixtures("store")
def test_the_least_time_to_confirm_a_seat_is_set_in_seconds(config, orders):
    run("policy", "set", "--config", config, "--minimum-reveal", "900")
    assert orders[0].policy.minimum_reveal_s == 900
    told = refused("policy", "set", "--config", config, "--minimum-reveal", "0")
    assert "minimum_reveal_s" in told
    assert "given: '0'" in told


@pytest.mark.usefixtures("store")
def test_standard_errors_are_agreed_to_by_name_alone(config, orders):
    run("policy", "set", "--config", config, "--automatic")
    run("policy", "set", "--config", config, "--standard-errors")
    assert [order.policy.standard_errors for order in orders] == [False, True]


@pytest.mark.usefixtures("store")
def test_tokens_are_taken_with_the_least_pay_in_their_own_units(config, store, orders):
    document = yaml.safe_load(Path(config).read_text())
    document["tokens"] = [{"address": TOKEN, "symbol": "TEST", "decimals": 6}]
    Path(config).write_text(yaml.safe_dump(document))
    run("policy", "set", "--config", config, "--tokens", f"test=1.5 TEST, {OTHER_TOKEN}=7")
    [order] = orders
    taken = (TokenPay(token=TOKEN, minimum_pay=1_500_000), TokenPay(token=OTHER_TOKEN, minimum_pay=7))
    assert order.policy.tokens == taken
    store.put_value(ORDERED_POLICY, pack(order.policy))
    shown = " ".join(run("policy", "show", "--config", config).stdout.split())
    assert "TEST from 1.5 TEST" in shown
    listed = run_json("policy", "show", "--config", config)["policy"]["tokens"]
    assert listed[0] == {"token": TOKEN, "minimum_pay": "1500000", "most_bond": "0"}
    run("policy", "set", "--config", config, "--automatic")
    assert orders[1].policy.tokens == taken, "what is not named stays"
    run("policy", "set", "--config", config, "--tokens", "none")
    assert orders[2].policy.tokens == ()


def test_bonds_are_deposited_unasked_up_to_what_is_set(config, store, orders):
    run("policy", "set", "--config", config, "--most-bond", "0.5 ETH", "--tokens", f"{TOKEN}=7,{OTHER_TOKEN}")
    run("policy", "set", "--config", config, "--tokens", TOKEN, "--token-bonds", f"{TOKEN}=9")
    with_ether, with_token = (order.policy for order in orders)
    assert (with_ether.most_bond_wei, with_ether.tokens[0].most_bond) == (5 * 10**17, 0)
    assert with_token.tokens == (TokenPay(token=TOKEN, most_bond=9),)
    store.put_value(ORDERED_POLICY, pack(with_token))
    assert "with a bond up to 9 " in " ".join(run("policy", "show", "--config", config).stdout.split())
    run("policy", "set", "--config", config, "--tokens", f"{TOKEN}=8")
    assert orders[2].policy.tokens == (TokenPay(token=TOKEN, minimum_pay=8, most_bond=9),), "as it was"
    told = refused("policy", "set", "--config", config, "--token-bonds", f"{OTHER_TOKEN}=1")
    assert "which is not taken: add it to --tokens" in told


@pytest.mark.parametrize("word", ["none", " None "])
def test_no_buyers_is_nobodys_training(config, store, orders, word):
    run("policy", "set", "--config", config, "--buyers", word)
    [order] = orders
    assert order.policy.automatic
    wanted = any_request()
    assert order.policy.model_copy(update={"buyers": (), "minimum_pay_wei": 0}).accepts(wanted, BUYER, "rows")
    assert not order.policy.model_copy(update={"minimum_pay_wei": 0}).accepts(wanted, BUYER, "rows")
    store.put_value(ORDERED_POLICY, pack(order.policy))
    shown = run("policy", "show", "--config", config).stdout
    assert re.search(r"buyers +│ none ", shown)
    assert re.search(r"columns +│ all ", shown)


@pytest.mark.usefixtures("store", "orders")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("policy", "set", "--buyers", "0x12"), "buyers"),
        (("policy", "set", "--minimum-pay", "0.1"), "--minimum-pay '0.1' is not a whole number of wei"),
        (("policy", "set", "--tokens", "USDC"), "--tokens 'USDC' is no address, and no symbol under tokens"),
        (("policy", "set", "--tokens", f"{TOKEN}=1.5"), "is not a whole number of units of token"),
        (("policy", "set", "--buyers", ""), "--buyers '' names nothing to join with"),
        (("policy", "set", "--columns", "None"), "or --no-automatic to join nothing unasked"),
        (("policy", "set", "--data-sets", "rows,"), "--data-sets 'rows,' names nothing"),
        (("budget", "--per-buyer", "many"), "'many' is not a number"),
        (("budget", "--per-buyer", "9999999"), "budget.per_buyer"),
        (("budget", "--numbers", "4"), "need the --data-set"),
        (("budget", "--data-set", "rows", "--buyer", "0x12", "--numbers", "4"), "buyer: "),
    ],
)
def test_what_is_no_policy_is_refused(config, arguments, told):
    assert told in refused(*arguments, "--config", str(config))


def test_a_policy_of_a_daemon_that_never_ran_is_not_invented(config):
    assert "start the daemon first" in refused("policy", "show", "--config", str(config))


def test_the_budget_shows_what_is_used_and_what_is_left(config, store):
    for training in (1, 2):
        store.put_value(f"joined:{training}", count_numbers(training, BUYER, "rows", 30).content)
    shown = run_json("budget", "--config", str(config))
    assert (shown["per_buyer"], shown["in_total"]) == (2, None)
    assert shown["counts"] == [
        {"data_set": "rows", "buyer": None, "used": 60, "limit": None},
        {"data_set": "rows", "buyer": BUYER, "used": 60, "limit": 2},
    ]
    assert "by count" in run("budget", "--config", str(config)).output


@pytest.mark.usefixtures("store")
def test_limits_are_set_in_general_and_for_one_data_set(config, orders):
    run("budget", "--config", str(config), "--per-buyer", "count", "--in-total", "9")
    assert orders[-1].policy.budget == Budget(in_total=9)
    told = run("budget", "--config", str(config), "--per-buyer", "7", "--in-total", "9").stdout
    assert "by count" not in told, "what is nowhere in the table is not explained"
    one = ("--data-set", "rows", "--buyer", BUYER)
    run("budget", "--config", str(config), *one, "--numbers", "4")
    limit = Limit(data_set="rows", buyer=BUYER, numbers=4)
    assert orders[-1].policy.budget == Budget(per_buyer=2, limits=(limit,))


def test_a_limit_is_taken_away_again(config, store, orders):
    limits = (Limit(data_set="rows", numbers=4), Limit(data_set="rows", buyer=BUYER, numbers=4))
    store.put_value(ORDERED_POLICY, pack(OwnerPolicy(budget=Budget(limits=limits))))
    run("budget", "--config", str(config), "--data-set", "rows")
    assert orders[-1].policy.budget.limits == limits[1:]
