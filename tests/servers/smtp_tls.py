"""A mail server with TLS and login, made of aiosmtpd.

Arguments: starttls|implicit, certificate, key, folder. Prints `PORT n` when it listens. Each mail it takes becomes a file
in the folder: one line of JSON about the session, then the mail.
"""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

way, certificate, key, folder = sys.argv[1:5]
sessions = 0


class Keep:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        Keep.count += 1
        about = {
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "sessions": sessions,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
        }
        part = pathlib.Path(folder, f"part-{Keep.count}")
        part.write_bytes(json.dumps(about).encode() + b"\n" + envelope.original_content)
        part.rename(pathlib.Path(folder, f"mail-{Keep.count}"))
        return f"250 kept as {Keep.count}"


def check(server, session, envelope, mechanism, data):
    right = data.login == b"keeper" and data.password == b"right password"
    return AuthResult(success=right, handled=False, auth_data=data)


def session():
    global sessions
    sessions += 1
    options = {"authenticator": check, "auth_required": True}
    if way == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        # The library counts only STARTTLS as secured.
        options |= {"auth_require_tls": False}
    return SMTP(Keep(), hostname="localhost", **options)


async def main():
    loop = asyncio.get_running_loop()
    listening = {"ssl": context} if way == "implicit" else {}
    server = await loop.create_server(session, "127.0.0.1", 0, **listening)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
asyncio.run(main())
