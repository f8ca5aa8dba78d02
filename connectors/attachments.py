"""Fetch what a citizen attached: only from the platform's own hosts, bounded, and never to be executed.

Against requests to our own network (SSRF): https only, host names of the platform only, the name is resolved once,
every address must be public, the connection goes to exactly that address, and redirects are not followed. What arrives
is named by us and typed by its first bytes, never by what the sender calls it.
"""

import asyncio
import contextlib
import ipaddress
import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import structlog

from bot.base.clock import now
from bot.contracts.errors import ChannelError
from bot.contracts.messages import Attachment
from connectors.wire import new_client

log = structlog.get_logger(__name__)
MAX_BYTES = 25 * 1024 * 1024
TOTAL_S = 30.0
FOLDER = "attachments"
MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (0, b"GIF87a", "gif", "image/gif"),
    (0, b"GIF89a", "gif", "image/gif"),
    (8, b"WEBP", "webp", "image/webp"),
    (0, b"%PDF-", "pdf", "application/pdf"),
    (0, b"#!AMR", "amr", "audio/amr"),
    (0, b"ID3", "mp3", "audio/mpeg"),
    (0, b"\xff\xfb", "mp3", "audio/mpeg"),
    (0, b"\xff\xf1", "aac", "audio/aac"),
    (0, b"OggS", "ogg", "audio/ogg"),
    (4, b"ftyp", "mp4", "video/mp4"),
)
"""Offset, bytes, our ending, type. What is not here is not kept: no HTML, no SVG, no program."""
OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
}
OFFICE_MAGIC = {b"PK\x03\x04": ("docx", "xlsx", "pptx"), b"\xd0\xcf\x11\xe0": ("doc", "xls")}
"""Containers tell no more than that; among these endings the name may choose."""

Resolve = Callable[[str, int], Awaitable[list[str]]]


class FetchRefused(ChannelError):
    """An attachment that is not fetched or not kept; the text is an English code for logs."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a channel's attachments may come from."""

    hosts: Collection[str]
    """Domain names; their subdomains count too."""
    origins: Collection[str] = field(default=())
    """Whole origins trusted by the settings, such as a simulator's "http://127.0.0.1:8091"."""


async def fetch(
    attachment: Attachment,
    sources: Sources,
    storage: Path,
    *,
    max_bytes: int = MAX_BYTES,
    total_s: float = TOTAL_S,
    resolve: Resolve | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Attachment:
    """The attachment with `path`, `size` and `mime` of the copy below `storage`. Raises FetchRefused."""
    try:
        url = httpx.URL(attachment.url or "")
    except httpx.InvalidURL as error:
        raise FetchRefused("bad_url") from error
    request_url, headers, extensions = await _target(url, sources, resolve or _resolve)
    try:
        async with asyncio.timeout(total_s), new_client(10.0, transport) as client:
            request = client.build_request("GET", request_url, headers=headers, extensions=extensions)
            response = await client.send(request, stream=True)
            try:
                content = await _read(response, max_bytes)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise FetchRefused("too_slow") from error
    except httpx.HTTPError as error:
        raise FetchRefused(f"failed_{type(error).__name__}") from error
    ending, mime = type_of(content, attachment.name or url.path)
    path = await asyncio.to_thread(_keep, storage, ending, content)
    log.info("attachment.kept", bytes=len(content), mime=mime)
    return replace(attachment, path=path, size=len(content), mime=mime)


async def _target(
    url: httpx.URL, sources: Sources, resolve: Resolve
) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
    """Where to connect, which Host to name, and which name the certificate must bear."""
    origin = f"{url.scheme}://{url.netloc.decode()}"
    if origin in sources.origins:
        return url, {}, {}
    host = url.host.lower().rstrip(".")
    if url.scheme != "https" or url.userinfo or url.port not in (None, 443):
        raise FetchRefused("not_https")
    if not any(host == one or host.endswith(f".{one}") for one in sources.hosts):
        raise FetchRefused("foreign_host")
    try:
        addresses = await resolve(host, 443)
    except OSError as error:
        raise FetchRefused("unknown_host") from error
    if not addresses or not all(_is_public(one) for one in addresses):
        raise FetchRefused("private_address")
    return url.copy_with(host=addresses[0]), {"host": host}, {"sni_hostname": host}


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global and not found.is_multicast


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    if response.status_code != 200:
        raise FetchRefused(f"status_{response.status_code}")
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > max_bytes:
            raise FetchRefused("too_large")
    return bytes(content)


def type_of(content: bytes, name: str) -> tuple[str, str]:
    """Our ending and MIME type, from the first bytes. Raises FetchRefused for what we don't keep."""
    for offset, magic, ending, mime in MAGIC:
        if content[offset : offset + len(magic)] == magic:
            return ending, mime
    called = name.rsplit(".", 1)[-1].lower()
    if called in OFFICE_MAGIC.get(content[:4], ()):
        return called, OFFICE[called]
    raise FetchRefused("unwanted_type")


def _keep(storage: Path, ending: str, content: bytes) -> str:
    """Write below `storage` under a name of ours, readable by us alone; the relative path."""
    relative = Path(FOLDER) / now().strftime("%Y-%m") / f"{uuid.uuid4().hex}.{ending}"
    target = storage / relative
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = target.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        partial.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    return str(relative)
