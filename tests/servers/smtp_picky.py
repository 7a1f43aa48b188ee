"""A mail server that refuses one recipient for good and another for the first time, made of aiosmtpd.

Argument: folder. Prints `PORT n` when it listens. Each mail it takes becomes a file in a folder named by the recipient.
"""

import asyncio
import pathlib
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])


class Picky:
    count = 0
    grey = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        if address.startswith("grey@") and address not in Picky.grey:
            Picky.grey.add(address)
            return "450 4.7.1 come again later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        Picky.count += 1
        for address in envelope.rcpt_tos:
            box = folder / address.split("@")[0]
            box.mkdir(exist_ok=True)
            part = folder / f"part-{Picky.count}"
            part.write_bytes(envelope.original_content)
            part.rename(box / f"mail-{Picky.count}")
        return f"250 kept as {Picky.count}"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Picky(), hostname="localhost"), "127.0.0.1", 0)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
