"""`bedplate product docs|backstage`: the catalog as files for people and for a portal."""

from __future__ import annotations

from pathlib import Path

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import write_text
from bedplate.errors import UsageError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_app
def docs(app: App, folder: Path) -> None:
    """Write the catalog into FOLDER: Markdown, and one static HTML site with a search and a page for each product.

    The pages need no server and ask nobody for anything. Files of the same names are overwritten.
    Products that are not for you to see (access.view) are left out.

    Example: bedplate product docs site/
    """
    from bedplate.catalog import load_catalog
    from bedplate.reports.catalog_site import site

    products = app.viewer.visible(load_catalog(app.content.products).products())
    _make(folder)
    files = list(site(products))
    for name, text in files:
        write_text(folder / name, text)
    click.echo(f"{len(files)} files for {len(products)} products in {folder}", err=True)


@click.command()
@click.option(
    "--launch-path", metavar="PATH", help="Path of Backstage's proxy that starts a product; {product} is its name."
)
@click.option(
    "--write", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write here, not to standard output."
)
@pass_app
def backstage(app: App, *, launch_path: str | None, target: Path | None) -> None:
    """Print catalog-info.yaml for Backstage: a Component and a Template for each product.

    Without --launch-path the template says which command to type; with it, it sends the order there by the scaffolder
    action http:backstage:request.

    Example: bedplate product backstage --write catalog-info.yaml
    """
    import yaml

    from bedplate.catalog import load_catalog
    from bedplate.reports.backstage import entities

    if launch_path is not None and "{product}" not in launch_path:
        raise UsageError("must have {product} in it", where="--launch-path", hint="/proxy/awx/{product}/launch/")
    products = app.viewer.visible(load_catalog(app.content.products).products())
    documents = [dict(entity) for entity in entities(products, launch_path)]
    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True)
    if target:
        write_text(target, text)
    else:
        click.echo(text, nl=False)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made: {error.strerror}", where=str(folder)) from error
