"""A Dockerfile's instructions, and its build stage done in a folder, without a container engine."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction of a stage; `stage` counts from 0."""

    stage: int
    name: str
    value: str


def instructions_of(text: str) -> list[Instruction]:
    """The instructions in their order, without comments, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found, stage = [], -1
    for line in filter(str.strip, joined.splitlines()):
        name, _, value = line.strip().partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, value.strip()))
    return found


def copied_files(instructions: list[Instruction]) -> list[str]:
    """What COPY takes out of the build's context."""
    copies = [one.value.split() for one in instructions if one.name == "COPY" and "--from" not in one.value]
    return [source for parts in copies for source in parts[:-1]]


def build_stage(instructions: list[Instruction], context: Path, root: Path) -> None:
    """Do the first stage: what it writes to /opt, /source and /wheels goes below `root` instead."""

    def inside(text: str) -> str:
        return re.sub(r"(?<![\w.])/(opt|source|wheels)\b", rf"{root}/\1", text)

    # What is not imported here need not be compiled; pip takes 0 for "no", as uv does.
    environment = {**_surroundings(), "PIP_COMPILE": "0", "UV_COMPILE_BYTECODE": "0"}
    folder = root
    for one in instructions:
        if one.stage != 0:
            continue
        match one.name:
            case "WORKDIR":
                folder = Path(inside(one.value))
                folder.mkdir(parents=True)
            case "COPY":
                *sources, target = one.value.split()
                for source in sources:
                    _copy(context / source, folder / target, into=target.endswith("/"))
            case "RUN":
                command = ["bash", "-euc", inside(one.value)]
                subprocess.run(command, cwd=folder, env=environment, check=True, timeout=900)
            case "FROM" | "ENV":
                pass  # the installers' caches may be used here
            case other:
                raise ValueError(f"{other} is not done here: {one.value}")


def _surroundings() -> dict[str, str]:
    """Of this process' environment what says where programs and packages come from."""
    wanted = ("PATH", "HOME", "SSL_CERT_", "PIP_", "UV_")
    return {name: value for name, value in os.environ.items() if name.startswith(wanted)}


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target / source.name if into else target)
