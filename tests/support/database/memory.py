"""Where servers of tests keep their data: in memory, if the machine has room there."""

import os
import shutil
from pathlib import Path

_FOLDER = Path("/dev/shm")
_LEAST_BYTES = 2 << 30


def folder_in_memory() -> Path | None:
    """A folder whose files outlive any process and no power cut; None where there is none with room.

    Servers wait for the disk at each commit, several seconds where others keep it busy, and clients give up.
    """
    if not os.access(_FOLDER, os.W_OK) or shutil.disk_usage(_FOLDER).free < _LEAST_BYTES:
        return None
    return _FOLDER
