"""The house's one secret key: signs sessions, encrypts tokens. From the settings, or made once in the data folder."""

import hashlib
import hmac
import os
import secrets

from pydantic import SecretStr

from bot.base.settings import HouseSettings

KEY_BYTES = 32


def house_key(settings: HouseSettings) -> bytes:
    """32 bytes, the same at every start. Raises ValueError when the kept key is damaged."""
    if settings.tongdai_secret_key is not None and settings.tongdai_secret_key.get_secret_value():
        return hashlib.sha256(settings.tongdai_secret_key.get_secret_value().encode()).digest()
    path = settings.tongdai_data_dir / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"secret.key.{secrets.token_hex(8)}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
        try:
            os.link(fresh, path)  # atomic: of two processes that start at once, one wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = bytes.fromhex(path.read_text().strip())
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} is damaged: put the copy from the backup in its place")
    return key


def derived(key: bytes, purpose: str) -> SecretStr:
    """A key of its own for one purpose, so that none signs for another."""
    return SecretStr(hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest())
