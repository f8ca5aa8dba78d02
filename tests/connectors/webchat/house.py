"""A small house behind the web chat, in memory: enough to see the API and the page work without the rooms above.

Its news go through the real PostgreSQL, as in the gateway. `tests/scenarios` also has the page with the real rooms.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.base.clock import now
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.errors import NotFound
from bot.contracts.ids import MessageId, TicketCode
from bot.contracts.messages import Author, Choice, Inbound
from connectors.webchat.messages import ChatMessage, PublicTicket

LONG = "\n\n".join(
    f"Bước {n}. Người dân chuẩn bị giấy tờ và nộp hồ sơ tại Trung tâm Phục vụ hành chính công cấp xã nơi cư trú, "
    "hoặc nộp trực tuyến tại https://dichvucong.gov.vn. Cần hỗ trợ, gọi 1022 hoặc 0237.3852.246."
    for n in range(1, 9)
)
ANSWER = (
    "Trẻ em dưới 6 tuổi được cấp thẻ bảo hiểm y tế miễn phí. Phụ huynh nộp hồ sơ tại UBND xã, phường nơi cư trú "
    "hoặc trên dichvucong.gov.vn.\n\nNguồn: Sở Y tế, xác nhận ngày 01/10/2026. Cần hỏi thêm, gọi 1022."
)
CODE = TicketCode("TH-7K3P9")


class House:
    """`WebchatPorts` in memory. `answers=False`: nobody answers by itself."""

    def __init__(self, database: Database, *, answers: bool = True) -> None:
        self.database, self.answers = database, answers
        self.rows: list[tuple[str, ChatMessage]] = []
        self.by_provider_id: dict[str, MessageId] = {}
        self.inbounds: list[Inbound] = []
        self.failures: list[Exception] = []
        """What the next calls of `accept` raise instead of storing."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.Lock()
        """Stands for the unique key of the real rows: the same message twice at the same time is one message."""

    async def accept(self, inbound: Inbound) -> MessageId:
        if self.failures:
            raise self.failures.pop(0)
        async with self._accepting:
            if found := self.by_provider_id.get(inbound.provider_message_id):
                return found
            self.inbounds.append(inbound)
            client_id = inbound.provider_message_id.removeprefix(f"{inbound.citizen_ref}:")
            message = await self.say(inbound.citizen_ref, inbound.text, Author.CITIZEN, client_message_id=client_id)
            self.by_provider_id[inbound.provider_message_id] = message
        if self.answers:
            task = asyncio.create_task(self._answer(inbound))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return message

    async def history(self, citizen_ref: str, after: int, limit: int) -> Sequence[ChatMessage]:
        return [one for ref, one in self.rows if ref == citizen_ref and one.id > after][:limit]

    async def rate(self, citizen_ref: str, message_id: int, helped: bool) -> None:
        for place, (ref, one) in enumerate(self.rows):
            if ref == citizen_ref and one.id == message_id:
                self.rows[place] = (ref, replace(one, helpful=helped))
                return
        raise NotFound(what="câu trả lời")

    async def ticket_status(self, code: str) -> PublicTicket:
        if code != CODE:
            raise NotFound(what=f"phiếu {code}")
        opened = datetime(2026, 11, 3, 7, 5, tzinfo=UTC)
        return PublicTicket(
            CODE, "Đang xử lý", "An sinh xã hội", "Sở Nội vụ", opened, opened + timedelta(days=1), answered=False
        )

    async def suggestions(self) -> Sequence[str]:
        return (
            "Làm thẻ bảo hiểm y tế cho trẻ ở đâu?",
            "Thủ tục đăng ký tạm trú thế nào?",
            "Tôi muốn hỏi về trợ cấp thất nghiệp",
        )

    async def say(self, citizen_ref: str, text: str, author: Author = Author.BOT, **more: object) -> MessageId:
        """Add a row and tell the world."""
        message = MessageId(len(self.rows) + 1)
        fields = {"created_at": now(), **more}
        self.rows.append((citizen_ref, ChatMessage(id=message, author=author, text=text, **fields)))  # type: ignore[arg-type]
        await self.tell("conversation", citizen_ref=citizen_ref, message=message)
        return message

    async def tell(self, topic: str, **fields: object) -> None:
        async with self.database.transaction() as session:
            await notify(session, topic, **fields)

    async def _answer(self, inbound: Inbound) -> None:
        ref, text = inbound.citizen_ref, inbound.text.lower()
        await self.tell("typing", citizen_ref=ref)
        if "gặp cán bộ" in text:
            await self.say(
                ref, "Tôi đã chuyển câu hỏi đến cán bộ trực. Cán bộ sẽ trả lời bạn trước 15:30.", ticket=CODE
            )
            await self.say(ref, "Cán bộ Lan đã tiếp nhận cuộc trò chuyện.", Author.SYSTEM)
            await self.say(ref, "Chào bạn, tôi là cán bộ trực. Bạn cần tôi giúp việc gì ạ?", Author.OPERATOR)
        elif "trợ cấp" in text and not inbound.payload:
            titles = (
                "Điều kiện hưởng trợ cấp thất nghiệp",
                "Hồ sơ và nơi nộp trợ cấp thất nghiệp",
                "Mức hưởng trợ cấp một lần cho người lao động nghỉ việc",
                "Gặp cán bộ",
            )
            await self.say(ref, "Ý bạn là…", choices=tuple(Choice(one, f"entry:{n}") for n, one in enumerate(titles)))
        elif "thủ tục" in text:
            await self.say(ref, LONG, ask_helpful=True)
        elif "nguy hiểm" in text:
            await self.say(
                ref, '<img src=x onerror="window.hacked=1"><b>đậm</b> javascript:alert(1) https://a.vn/"onclick=1'
            )
        else:
            await self.say(ref, ANSWER, ask_helpful=True)
