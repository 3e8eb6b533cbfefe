"""`deltaml admin messages`: what the parties send each other, for people and for tools."""

from typing import Annotated, Literal

import typer

from services.admin.docs.asyncapi import asyncapi_text
from services.admin.docs.sequence_diagram import sequence_diagram
from services.admin.docs.state_diagram import state_diagram
from services.cli.standard_streams import document_stream

Format = Annotated[
    Literal["asyncapi", "diagram", "model_buyer", "data_owner", "federated_aggregator"],
    typer.Option(
        help="asyncapi: an AsyncAPI 3.0 document; diagram: the course of a training, for Mermaid; "
        "a role: its phases, for Mermaid."
    ),
]


def messages(format: Format = "asyncapi") -> None:  # noqa: A002  an option
    """Print the messages' documentation, as this version has them."""
    stream = document_stream()
    match format:
        case "asyncapi":
            stream.write(asyncapi_text())
        case "diagram":
            stream.write(sequence_diagram())
        case role:
            stream.write(state_diagram(role))
