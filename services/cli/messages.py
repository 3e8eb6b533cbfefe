"""`deltaml admin messages`: what the parties send each other, for people and for tools."""

import sys
from typing import Annotated, Literal

import typer

Format = Annotated[
    Literal["asyncapi", "diagram"],
    typer.Option(help="asyncapi: an AsyncAPI 3.0 document; diagram: the course of a training, for Mermaid."),
]


def messages(format: Format = "asyncapi") -> None:  # noqa: A002  the option's name
    """Print the messages' documentation, as this version has them."""
    from services.admin.docs.asyncapi import asyncapi_text  # noqa: PLC0415
    from services.admin.docs.sequence_diagram import sequence_diagram  # noqa: PLC0415

    sys.stdout.write(asyncapi_text() if format == "asyncapi" else sequence_diagram())
