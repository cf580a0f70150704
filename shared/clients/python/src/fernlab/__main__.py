"""``python -m fernlab``: what is done once, from a terminal."""
from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from typing import Dict, List, Optional, Sequence, Tuple, Union

from .contract import Contract, read_contract
from .directory import AsyncDirectory
from .errors import LabError
from .lab import close_labs
from .node_directory import AsyncNodeDirectory
from .stubs import MARK, Described, class_names, module_of


def main(args: Optional[Sequence[str]] = None) -> int:
    asked = _parser().parse_args(args)
    try:
        token = None if asked.token_file is None else _text_of(asked.token_file).strip()
        services = asyncio.run(_described(asked.target, asked.hub, token, asked.address, asked.ca))
        text = module_of(services, asked.address)
        if asked.output is None:
            sys.stdout.write(text)
        else:
            _replace(asked.output, text)
            names = class_names([service.name for service in services])
            sys.stderr.write(f"{asked.output} has {', '.join(names)}\n")
    except (LabError, OSError) as error:
        sys.stderr.write(f"fernlab: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fernlab")
    verbs = parser.add_subparsers(required=True, metavar="stubs")
    about = "A module of services with their types, for editors and type checkers."
    stubs = verbs.add_parser("stubs", help=about, description=about)
    stubs.add_argument("target", nargs="+", metavar="TARGET", help="a service by its name, or several by one with * and ?")
    stubs.add_argument("-o", "--output", metavar="FILE", help="the module, as lab.py; else it is printed")
    stubs.add_argument("--hub", metavar="URL", help="else FERNLAB_HUB")
    stubs.add_argument("--token-file", metavar="FILE", help="holds the token; else FERNLAB_TOKEN where a hub is asked")
    stubs.add_argument("--address", metavar="ADDRESS", help="of a node, ws://… or its socket, in a lab without a hub")
    stubs.add_argument("--ca", metavar="FILE", help="an authority to trust besides the system's")
    return parser


async def _described(
    targets: Sequence[str], hub: Optional[str], token: Optional[str], address: Optional[str], ca: Optional[str]
) -> List[Described]:
    directory: Union[AsyncDirectory, AsyncNodeDirectory]
    directory = AsyncDirectory(hub, token, ca) if address is None else AsyncNodeDirectory(address, token, ca)
    found: Dict[Tuple[str, str], Contract] = {}
    try:
        for target in targets:
            for name in await directory.named(target):
                entry = await directory.get(name)
                found[(entry["node"], entry["name"])] = read_contract(entry["name"], entry.get("contract"))
    finally:
        await close_labs()
    return [Described(name if address is not None else f"{node}/{name}", found[(node, name)]) for node, name in sorted(found)]


def _text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _replace(path: str, text: str) -> None:
    """The file is the one before, or the new one; one that somebody wrote stays."""
    if os.path.exists(path) and not _text_of(path).startswith(MARK):
        raise LabError("file-exists", f"{path} is there, and was not made by this: name another file, or remove it")
    folder = os.path.dirname(os.path.abspath(path))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".part", delete=False) as file:
        try:
            file.write(text)
            file.close()
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(file.name, 0o666 & ~mask)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


if __name__ == "__main__":
    sys.exit(main())
