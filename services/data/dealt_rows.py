"""Each owner's data set out of rows that were dealt: the whole table's card, and a part of its rows."""

from functools import partial

from protocol.data_card import bucket_of
from protocol.data_set import DataSet, card_of, revealing
from protocol.preparation.tables import Table, row_count
from services.data.row_reader import statistic_builder
from services.data.sample_request import DemoData


def data_sets_of(data: DemoData) -> dict[str, DataSet]:
    """Each owner's data set by name, in dealing order.

    Cards declare the ranges and levels of all rows together, which `demo_request` asks for. They are listed,
    but for those with words that describe single rows.
    """
    builder = statistic_builder(data.kinds)
    for rows in data.parts:
        builder.add(rows)
    shared, data_sets = card_of("rows", builder.finish(), exact=True), {}
    for number, rows in enumerate(data.parts, start=1):
        builder = statistic_builder(data.kinds)
        builder.add(rows)
        name, statistic = f"rows-{number}", builder.finish()
        own = {"name": name, "rows_from": bucket_of(row_count(rows)), "listed": not revealing(statistic)}
        data_sets[name] = DataSet(
            shared.model_copy(update=own), statistic, data.columns, partial(_once, rows)
        )
    return data_sets


def _once(rows: Table) -> list[Table]:
    """An owner's rows as one batch."""
    return [rows]
