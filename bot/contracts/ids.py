"""Distinct names for the identifiers that rooms hand to each other. Standard library only."""

from typing import NewType

ConversationId = NewType("ConversationId", int)
MessageId = NewType("MessageId", int)
TicketId = NewType("TicketId", int)
AccountId = NewType("AccountId", int)
EntryId = NewType("EntryId", int)
BankId = NewType("BankId", int)

TicketCode = NewType("TicketCode", str)
"""What a citizen reads out on the phone, e.g. "TH-7K3P9"."""

UnitCode = NewType("UnitCode", str)
"""Code of a unit as departments know it: "SYT", "CDC", or an administrative code such as "380"."""

SubjectId = NewType("SubjectId", int)
"""Number of a subject field in the province's plan, 1 to 10; a site may add more."""

Channel = NewType("Channel", str)
"""Name of a channel ("webchat", "zalo", "messenger", …). A string, not an enum: adding a channel adds a folder."""
