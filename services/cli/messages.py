"""`deltaml admin messages`: what the parties send each other, for people and for tools."""

import sys
from typing import Annotated, Literal

import typer

from services.admin.docs.asyncapi import asyncapi_text
from services.admin.docs.sequence_diagram import sequence_diagram
from services.admin.docs.state_diagram import state_diagram

Format = Annotated[
    Literal["asyncapi", "diagram", "model_buyer", "data_owner", "federated_aggregator"],
    typer.Option(
        help="asyncapi: an AsyncAPI 3.0 document; diagram: the course of a training, for Mermaid; "
        "a role: its phases, for Mermaid."
    ),
]


def messages(format: Format = "asyncapi") -> None:  # noqa: A002  the option's name
    """Print the messages' documentation, as this version has them."""
    match format:
        case "asyncapi":
            sys.stdout.write(asyncapi_text())
        case "diagram":
            sys.stdout.write(sequence_diagram())
        case role:
            sys.stdout.write(state_diagram(role))
