"""The factory's command line; its JSON lines are the interface to the CLI, to molecule and to tests."""

from __future__ import annotations

import argparse
import ipaddress
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from factory.errors import FactoryError, UsageError
from factory.faults import break_hosts, read_faults
from factory.fleet import RELEASES, network_of, parse_hosts, read_fleet, with_metal
from factory.image import ensure_images, image_name
from factory.inventory import SNAPSHOT
from factory.lab import Lab
from factory.network import SubnetChoice
from factory.podman import Podman
from factory.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 after an error line was written."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    os.umask(0o077)
    progress = Progress(as_json=options.json)
    try:
        progress.result(options.command(options, progress))
    except FactoryError as error:
        progress.error(error)
        return 1
    except OSError as error:  # the state folder cannot be written, or its disk is full
        progress.error(FactoryError(f"cannot be used: {error.strerror}", where=str(error.filename or options.folder)))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    lab = Lab(options.folder, progress)
    asked = _subnet(options.subnet)
    if options.host:
        return lab.up(parse_hosts(options.host), SubnetChoice(asked), recreate=options.recreate)
    specs = with_metal(read_fleet(options.inventory / SNAPSHOT), asked=options.metal, before=lab.hosts)
    own = network_of(specs)
    default = None if options.subnet == "auto" else lab.subnet or own
    answer = lab.up(specs, SubnetChoice(asked, default), recreate=options.recreate)
    return {**answer, "inventory": lab.place_inventory(options.inventory, own)}


def _status(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    return Lab(options.folder, progress).status()


def _down(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    return Lab(options.folder, progress).down(images=options.images)


def _break(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    return {"schema": 1, "broken": break_hosts(Lab(options.folder, progress), options.hosts, options.fault)}


def _faults(_options: argparse.Namespace, _progress: Progress) -> dict[str, Any]:
    return {"schema": 1, "faults": [fault.describe() for fault in read_faults()]}


def _images(_options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    ensure_images(RELEASES, Podman(), progress)
    return {"images": {platform: image_name(platform) for platform in RELEASES}}


def _subnet(text: str | None) -> ipaddress.IPv4Network | None:
    if text in {None, "auto"}:
        return None
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise UsageError("is no IPv4 subnet", where=text, hint="like 10.213.78.0/24") from error
    if subnet.prefixlen != 24 or not subnet.is_private:
        raise UsageError("must be a private /24 subnet", where=text, hint="like 10.213.78.0/24")
    return subnet


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="factory", description="Containers and emulated machines with systemd and SSH, as lab hosts."
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("lab"), help="state folder of the lab; two folders are two labs"
    )
    parser.add_argument("--json", action="store_true", help="progress and answer as JSON lines")
    verbs = parser.add_subparsers(required=True)
    up = verbs.add_parser("up", help="bring hosts up, repair what is there")
    which = up.add_mutually_exclusive_group(required=True)
    which.add_argument("--inventory", type=Path, help="inventory folder whose snapshot names the hosts")
    which.add_argument(
        "--host", action="append", help="NAME=PLATFORM or NAME=PLATFORM/metal, as often as there are hosts"
    )
    up.add_argument("--subnet", help="a private /24, or auto: a free one (default: the inventory's own)")
    up.add_argument("--metal", action="store_true", help="hosts of class bare_metal as emulated machines, from now on")
    up.add_argument("--recreate", action="append", default=[], metavar="NAME", help="make this host anew")
    up.set_defaults(command=_up)
    verbs.add_parser("status", help="hosts and their state").set_defaults(command=_status)
    down = verbs.add_parser("down", help="remove hosts, network and files")
    down.add_argument("--images", action="store_true", help="remove images that nobody uses, too")
    down.set_defaults(command=_down)
    breaking = verbs.add_parser("break", help="change something on hosts as a colleague would")
    breaking.add_argument("hosts", nargs="*", help="default: a random one")
    breaking.add_argument("--fault", help="default: a random one for each host")
    breaking.set_defaults(command=_break)
    verbs.add_parser("faults", help="what `break` can do").set_defaults(command=_faults)
    verbs.add_parser("images", help="build the images").set_defaults(command=_images)
    return parser


if __name__ == "__main__":
    sys.exit(main())
