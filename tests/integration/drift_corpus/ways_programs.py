"""Ways to change a package's program so that its name, size and time of writing say nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from integration.drift_corpus.ground import Ground
from integration.drift_corpus.way import Identity, Way

# As long as the program that the package has.
_OTHER = "printf '#!/bin/sh\\necho 6.6\\n'"
_CAPABLE = "0100000200040000000000000000000000000000"


def programs(ground: Ground) -> Iterator[Way]:
    """Yield ways that leave as little as they can; `@` is the program."""

    def way(name: str, change: str, effect: str, attribute: str, *also: Identity) -> Way:
        path = f"/usr/bin/{ground.package(name)}"
        change, effect = change.replace("@", path), effect.replace("@", path)
        there = tuple((kind, key.replace("@", path), what) for kind, key, what in also)
        return Way(f"program {name}", change, effect, ("file", path, attribute), there)

    same = "grep -q 6.6 @ && test $(stat -c '%s %Y' @ | tr ' ' -) = $(stat -c '%s %Y' /run/before | tr ' ' -)"
    yield way(
        "in-place",
        f"cp -p @ /run/before; {_OTHER} | dd of=@ conv=notrunc status=none; touch -r /run/before @",
        same,
        "content",
    )
    yield way(
        "renamed",
        f"cp -p @ /run/before; cp -p @ @.new; {_OTHER} > @.new; touch -r /run/before @.new; mv @.new @",
        same,
        "content",
    )
    yield way("closed", "chmod 0700 @", "test $(stat -c %a @) = 700", "mode")
    yield way("given", "chown daemon @", "test $(stat -c %U @) = daemon", "owner")
    yield way(
        "capable",
        f"python3 -c \"import os;os.setxattr('@','security.capability',bytes.fromhex('{_CAPABLE}'))\"",
        "python3 -c \"import os;os.getxattr('@','security.capability')\"",
        "capabilities",
        ("suid", "@", "presence"),
    )
    yield way(
        "covered",
        f"{_OTHER} > /srv/covering; chmod 0755 /srv/covering; touch -r @ /srv/covering; mount --bind /srv/covering @",
        "grep -q 6.6 @",
        "content",
        ("mount", "@", "presence"),
    )
