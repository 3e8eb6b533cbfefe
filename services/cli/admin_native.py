"""`deltaml admin native`: the kernel that multiplies eight numbers at once, built and looked at."""

from typing import Annotated

import typer

from services.cli.options import Json
from services.cli.output import print_result
from services.common.errors import ConfigurationError
from services.native.build import LIBRARY
from services.native.build import build as build_kernel
from services.native.loading import find_arithmetic

native = typer.Typer(
    name="native", help="The compiled kernel that multiplies eight numbers at once.", no_args_is_help=True
)


@native.command()
def build(
    if_possible: Annotated[
        bool, typer.Option("--if-possible", help="Where it cannot be built, say why and succeed.")
    ] = False,
    json: Json = False,
) -> None:
    """Compile it beside its sources; daemons find it at their next start.

    It takes a C compiler, or the Python package ziglang. Nothing needs it: gmpy2 computes the same numbers.
    """
    try:
        built, told = str(build_kernel()), f"{LIBRARY} is built"
    except ConfigurationError as error:
        if not if_possible:
            raise
        built, told = None, f"not built: {error}"
    arithmetic = find_arithmetic().text
    print_result({"built": built, "arithmetic": arithmetic}, f"{told}; computes by {arithmetic}", json=json)


@native.command()
def show(json: Json = False) -> None:
    """Say what computes on this machine, and why."""
    arithmetic = find_arithmetic().text
    print_result({"arithmetic": arithmetic}, arithmetic, json=json)
