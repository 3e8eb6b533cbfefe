"""Many open pages in one process: each reads its stream and throws it away."""

import asyncio
import sys
from urllib.parse import quote


async def look(port: int, key: str, cookie: str) -> None:
    """Read one stream until the server ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        f"GET /live/training/{quote(key, safe='')} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Cookie: {cookie}",
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    while await reader.read(1 << 16):
        pass


async def main(port: int, key: str, cookie: str, viewers: int) -> None:
    """All of them at once."""
    await asyncio.gather(*(look(port, key, cookie) for _ in range(viewers)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
