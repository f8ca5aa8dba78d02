"""Session tokens: a random name for a citizen, signed, so that no row is needed before the first message."""

import secrets

from itsdangerous import BadSignature, TimestampSigner
from pydantic import SecretStr

SECONDS_PER_DAY = 86_400


class Sessions:
    """Makes and reads tokens. Whoever holds one is the citizen of that conversation, and nothing more."""

    def __init__(self, secret: SecretStr, days: int) -> None:
        self._signer = TimestampSigner(secret.get_secret_value(), salt="webchat.session")
        self._max_age_s = days * SECONDS_PER_DAY

    def create(self) -> str:
        """A token for a new, unguessable citizen_ref."""
        return self._signer.sign(f"w{secrets.token_hex(16)}").decode()

    def find_citizen(self, token: str) -> str | None:
        """The citizen_ref in a token of ours; None if it is forged, changed or too old."""
        try:
            return self._signer.unsign(token, max_age=self._max_age_s).decode()
        except (BadSignature, UnicodeError):
            return None
