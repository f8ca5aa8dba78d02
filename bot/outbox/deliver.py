"""Send one message, once.

    QUEUED ─► SENDING (committed before the request) ─► SENT
                 │ the process died, or no answer came
                 ▼
             UNCERTAIN ─► the platform's echo or history says: it went out ─► SENT
                       ├► it says that it did not ─► SENDING again
                       └► nothing says anything within ECHO_PATIENCE ─► SENDING again, once; then a person decides

No sender can close the gap between the platform's yes and our commit; it is kept to this one message.

    QUEUED ─► refused for now ─► QUEUED, tried again after WAITS_S, until MAX_ATTEMPTS ─► FAILED
           └► not before a time ─► QUEUED until then; no failed try
Either way, after LONGEST_WAIT it is FAILED with the reason, and the operator may phone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.base.jobs import WaitAndRetry, WaitUntil
from bot.base.metrics import DELIVERIES
from bot.base.notify import notify
from bot.contracts.connector import Connector, WindowState
from bot.contracts.errors import Action, Ambiguous, CannotTell, GiveUp, NotYet, RetryLater
from bot.contracts.ids import Channel, MessageId, TicketCode
from bot.contracts.messages import Attachment, Author, Choice, DeliveryState, Outbound
from bot.conversation.tables import ConversationRow, MessageRow
from bot.outbox.elsewhere import send_elsewhere
from bot.outbox.post import Outbox

log = structlog.get_logger(__name__)

WAITS_S = (1.0, 5.0, 30.0, 120.0, 300.0, 600.0, 900.0, 900.0, 900.0, 900.0, 900.0)
"""Seconds after the first failed try, the second, …; a platform that asks for more gets more."""
MAX_ATTEMPTS = len(WAITS_S) + 1
"""An hour and a half of a platform being down."""
LONGEST_WAIT = timedelta(hours=24)
"""How long a message may be refused or uncertain in all, whatever times the platform names; a setting in the house."""
ECHO_PATIENCE = timedelta(seconds=60)
"""How long an uncertain message waits for the platform's echo before it is sent again."""

HELD_VI = "Ngoài khung được nhắn tin: sẽ gửi khi người dân nhắn lại. Nếu gấp, hãy gọi điện."
OFF_VI = "Kênh này đang tắt: kiểm tra cấu hình."
REPEATED_VI = "Đã gửi lại một lần vì không rõ tin có tới không."
IN_DOUBT_VI = "Không rõ tin đã tới chưa: xem trong ứng dụng của kênh, rồi bấm gửi lại hoặc gọi điện."


async def deliver(
    database: Database,
    connectors: Mapping[Channel, Connector],
    message: MessageId,
    longest_wait: timedelta = LONGEST_WAIT,
    outbox: Outbox | None = None,
) -> None:
    """The job: send `message` if it still waits. Raises WaitAndRetry to be run again.

    With an `outbox`, what may no longer be sent here goes over another channel of the same person, if one is open.
    """
    async with database.transaction() as session:
        outbound, before = await _begin(session, message)
    if outbound is None:
        return
    connector = connectors.get(outbound.channel)
    if connector is None:
        unsettled = before is not DeliveryState.QUEUED  # failed would mean that it surely did not go out
        await _fail(database, message, OFF_VI, (), DeliveryState.UNCERTAIN if unsettled else DeliveryState.FAILED)
        return
    if before is not DeliveryState.QUEUED and await _is_settled(database, connector, outbound, longest_wait):
        return
    window = connector.window(outbound.last_inbound_at, outbound.author, now())
    if window.state is WindowState.CLOSED:
        if outbox is None or not await send_elsewhere(database, connectors, outbox, outbound):
            await _hold(database, outbound)
        return
    if not await _claim(database, message):
        return
    try:
        sent = await connector.send(outbound)
    except Ambiguous as error:
        await _note_doubt(database, outbound, error.sent_parts, tries=1)
        raise WaitAndRetry(error.after_s) from None
    except NotYet as error:
        await _wait_until(database, outbound, error, longest_wait)
    except RetryLater as error:
        await _try_again(database, outbound, error, longest_wait)
    except GiveUp as error:
        if error.action is Action.WINDOW:
            await _hold(database, outbound, error.sent_parts)
        else:
            log.error(
                "message.not_sent", message=message, channel=outbound.channel, code=error.code, action=error.action
            )
            await _fail(database, message, error.reason_vi, error.sent_parts)
    else:
        await _mark(database, message, DeliveryState.SENT, parts=sent.provider_message_ids)


async def _begin(session: AsyncSession, message: MessageId) -> tuple[Outbound | None, DeliveryState]:
    row = await session.get(MessageRow, message)
    if row is None or row.status is None:
        return None, DeliveryState.FAILED
    state = DeliveryState(row.status)
    match state:
        case DeliveryState.QUEUED | DeliveryState.UNCERTAIN:
            pass
        case DeliveryState.SENDING:  # whoever was sending it died in the act; no echo could come in meanwhile
            row.status, row.sending_since = DeliveryState.UNCERTAIN, now()
            row.attempts += 1
            await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        case (
            DeliveryState.SENT
            | DeliveryState.DELIVERED
            | DeliveryState.SEEN
            | DeliveryState.HELD
            | DeliveryState.FAILED
        ):
            return None, state
        case _:
            assert_never(state)
    if row.failure is None and row.attempts == 0:  # new, released or sent again by an operator
        row.failing_since = None
    conversation = await session.get_one(ConversationRow, row.conversation_id)
    answered = await session.get(MessageRow, row.answers) if row.answers else None
    return (
        Outbound(
            message=row.id,
            channel=Channel(row.channel),
            citizen_ref=conversation.citizen_ref,
            author=Author(row.author),
            text=row.text,
            created_at=row.created_at,
            choices=tuple(Choice(**one) for one in row.choices),
            attachments=tuple(Attachment(**one) for one in row.attachments),
            ticket=TicketCode(row.ticket) if row.ticket else None,
            reply_to=answered.provider_message_id if answered else None,
            context=answered.extra.get("context") if answered else None,
            last_inbound_at=conversation.last_inbound_at,
            sent_parts=tuple(row.provider_ids),
            others=frozenset() if state is DeliveryState.QUEUED else await _ids_of_others(session, row),
        ),
        state,
    )


async def _ids_of_others(session: AsyncSession, row: MessageRow) -> frozenset[str]:
    """What the platform calls our other messages in this conversation, as far back as its history is read."""
    found = await session.scalars(
        select(MessageRow.provider_ids)
        .where(
            MessageRow.conversation_id == row.conversation_id,
            MessageRow.direction == "out",
            MessageRow.id != row.id,
        )
        .order_by(MessageRow.id.desc())
        .limit(100)
    )
    return frozenset(str(one) for ids in found for one in ids)


async def _is_settled(database: Database, connector: Connector, outbound: Outbound, longest_wait: timedelta) -> bool:
    """True when nothing is to be sent: it went out, or a person must decide. False when it may be sent (again)."""
    try:
        sent = await connector.find_sent(outbound)
    except RetryLater as error:
        since, _ = await _note_doubt(database, outbound, error.sent_parts)
        if now() - since >= longest_wait:
            await _fail(database, outbound.message, IN_DOUBT_VI, (), DeliveryState.UNCERTAIN)
            return True
        raise (WaitUntil(error.at) if isinstance(error, NotYet) else WaitAndRetry(error.after_s)) from None
    except CannotTell:
        return await _is_left_to_a_person(database, outbound)
    if sent is None:  # surely not; when no try ever gets an answer, that is a failure too
        since, attempts = await _note_doubt(database, outbound)
        hopeless = attempts >= MAX_ATTEMPTS or now() - since >= longest_wait
        if hopeless:
            await _fail(database, outbound.message, f"Đã thử {attempts} lần: nền tảng không trả lời.", ())
        return hopeless
    await _mark(database, outbound.message, DeliveryState.SENT, parts=sent.provider_message_ids)
    log.info("message.found_sent", message=outbound.message, channel=outbound.channel)
    return True


async def _note_doubt(
    database: Database, outbound: Outbound, parts: tuple[str, ...] = (), *, tries: int = 0
) -> tuple[datetime, int]:
    """Uncertain, with the parts that are known to have gone out; since when, and after how many tries."""
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, outbound.message, with_for_update=True)
        row.provider_ids = _joined(row.provider_ids, parts)
        row.failing_since = row.failing_since or now()
        row.attempts += tries
        if row.status not in {DeliveryState.DELIVERED, DeliveryState.SEEN, DeliveryState.FAILED}:
            row.status = DeliveryState.UNCERTAIN
        if tries:
            await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        return row.failing_since, row.attempts


async def _is_left_to_a_person(database: Database, outbound: Outbound) -> bool:
    """The platform can't tell: wait for its echo, then False: send once more. Never a second time unasked."""
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, outbound.message, with_for_update=True)
        if len(row.provider_ids) > len(outbound.sent_parts):  # an echo came: are these all its parts?
            raise WaitAndRetry(0.1)
        if now() - (row.sending_since or row.created_at) < ECHO_PATIENCE:
            raise WaitAndRetry(3.0)
        repeated = row.failure in {REPEATED_VI, IN_DOUBT_VI}
        if not repeated:
            row.failure = REPEATED_VI
    if repeated:
        log.error("message.in_doubt", message=outbound.message, channel=outbound.channel)
        await _fail(database, outbound.message, IN_DOUBT_VI, (), DeliveryState.UNCERTAIN)
        return True
    log.warning("message.sent_again", message=outbound.message, channel=outbound.channel)
    return False


async def _wait_until(database: Database, outbound: Outbound, error: NotYet, longest_wait: timedelta) -> None:
    """Not before a time of the platform's. A time that lies too far away is told to a person at once."""
    since, _ = await _note_refusal(database, outbound, error, f"{error.reason}. Tự gửi lại sau {say_moment(error.at)}.")
    if error.at - since > longest_wait:
        await _fail(database, outbound.message, f"Không gửi được trong thời hạn: {error.reason}", error.sent_parts)
        return
    DELIVERIES.labels(outbound.channel, "retried").inc()
    raise WaitUntil(error.at)


async def _try_again(database: Database, outbound: Outbound, error: RetryLater, longest_wait: timedelta) -> None:
    since, attempts = await _note_refusal(database, outbound, error, error.reason, tries=1)
    if attempts >= min(MAX_ATTEMPTS, error.tries or MAX_ATTEMPTS) or now() - since >= longest_wait:
        await _fail(database, outbound.message, f"Đã thử {attempts} lần: {error.reason}", error.sent_parts)
        return
    DELIVERIES.labels(outbound.channel, "retried").inc()
    raise WaitAndRetry(max(error.after_s, WAITS_S[attempts - 1]))


async def _note_refusal(
    database: Database, outbound: Outbound, error: RetryLater, reason: str, *, tries: int = 0
) -> tuple[datetime, int]:
    """Back in the queue with the reason; since when it fails, and how often. A failure of None begins a new series."""
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, outbound.message, with_for_update=True)
        if row.failure is None or row.failing_since is None:
            row.failing_since = now()
        row.attempts += tries
        if row.status != DeliveryState.FAILED:  # else the citizen was told by phone while the platform thought about it
            row.status, row.failure = DeliveryState.QUEUED, reason
        row.provider_ids = _joined(row.provider_ids, error.sent_parts)
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        return row.failing_since, row.attempts


async def _claim(database: Database, message: MessageId) -> bool:
    """Commit that the request is about to leave. False when the message no longer waits to be sent."""
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, message, with_for_update=True)
        if row.status not in {DeliveryState.QUEUED, DeliveryState.UNCERTAIN}:
            return False
        row.status, row.sending_since = DeliveryState.SENDING, now()
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        return True


async def _mark(database: Database, message: MessageId, state: DeliveryState, *, parts: tuple[str, ...] = ()) -> None:
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, message, with_for_update=True)
        row.provider_ids = _joined(row.provider_ids, parts)
        if row.status in {DeliveryState.DELIVERED, DeliveryState.SEEN}:
            return
        row.status = state
        if state is DeliveryState.SENT:
            row.sent_at, row.failure, row.failing_since = now(), None, None
            if row.seen_at or row.delivered_at:  # the receipt was faster than our commit
                row.status = DeliveryState.SEEN if row.seen_at else DeliveryState.DELIVERED
            DELIVERIES.labels(row.channel, "sent").inc()
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)


async def _hold(database: Database, outbound: Outbound, parts: tuple[str, ...] = ()) -> None:
    """Keep the message for the citizen's next one. Raises WaitAndRetry when that came in the meantime."""
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, outbound.message, with_for_update=True)
        row.provider_ids = _joined(row.provider_ids, parts)
        last_inbound = await session.scalar(  # locked: whoever writes next finds this message held, and releases it
            select(ConversationRow.last_inbound_at)
            .where(ConversationRow.id == row.conversation_id)
            .with_for_update(key_share=True)
        )
        if row.status == DeliveryState.FAILED:
            return
        again = last_inbound != outbound.last_inbound_at
        row.status, row.failure = (DeliveryState.QUEUED, None) if again else (DeliveryState.HELD, HELD_VI)
        if not again:
            DELIVERIES.labels(row.channel, "held").inc()
            await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
            await notify(session, "delivery_trouble", conversation=row.conversation_id, message=row.id)
    if again:
        raise WaitAndRetry(0.1)


async def _fail(
    database: Database,
    message: MessageId,
    reason: str,
    parts: tuple[str, ...],
    state: DeliveryState = DeliveryState.FAILED,
) -> None:
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, message, with_for_update=True)
        row.status, row.failure = state, reason
        row.provider_ids = _joined(row.provider_ids, parts)
        DELIVERIES.labels(row.channel, "failed").inc()
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        await notify(session, "delivery_trouble", conversation=row.conversation_id, message=message)


def _joined(known: list[str], new: tuple[str, ...]) -> list[str]:
    return [*known, *(one for one in new if one not in known)]
