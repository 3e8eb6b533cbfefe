"""The options that say which catalogue a command works on."""

from pathlib import Path
from typing import Annotated

import typer

from services.common.errors import ConfigurationError
from services.config.daemons import load
from services.data.catalog import Catalog

CatalogueFolder = Annotated[
    Path | None,
    typer.Option("--catalogue", help="Folder of the catalogue; by default one in your application data."),
]
DaemonConfig = Annotated[
    Path | None, typer.Option("--config", help="Use the catalogue of this data owner's file.")
]
DataSetName = Annotated[str, typer.Argument(metavar="NAME", help="The data set's name.")]


def open_catalogue(folder: Path | None, config: Path | None) -> Catalog:
    """The catalogue that was chosen; raises ConfigurationError for two."""
    if folder is not None and config is not None:
        raise ConfigurationError("give --catalogue or --config, not both")
    if config is not None:
        folder = load(config, "data-owner").catalogue
    return Catalog(folder or Path(typer.get_app_dir("deltaml")) / "datasets")


def catalogue_place(folder: Path | None, config: Path | None) -> str:
    """The options for the catalogue that was chosen, as a command that is proposed takes them."""
    return f" --catalogue {folder}" if folder else f" --config {config}" if config else ""
