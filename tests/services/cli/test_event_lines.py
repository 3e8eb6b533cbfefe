from services.cli.event_lines import fact_text


def test_a_facts_data_are_told_as_people_read_them():
    settled = {"paid_wei": str(9 * 10**17), "refund_wei": str(10**17), "improvement": str(97929 * 10**13)}
    assert fact_text(settled) == "paid=0.9 ETH, refund=0.1 ETH, improvement=97.93%"
    in_wei = "paid=900000000000000000 wei, refund=100000000000000000 wei, improvement=97.93%"
    assert fact_text(settled, wei=True) == in_wei
    assert fact_text({"trainers": ["0xa", "0xb"], "validators": []}) == "trainers=0xa 0xb, validators="
    joining = {"asked": 5, "declined": {"no_match": 2, "pay": 1}}
    assert fact_text(joining) == "asked=5, declined=no_match 2 pay 1"
    assert fact_text({"declined": {}, "last": True}) == "declined=none, last=yes"
