"""Settings of the house itself; every room that has settings keeps its own class beside its code.

Read once in `bot/app.py` from the environment or `.env`, then passed down. A test proves that `.env.example` lists all.
"""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class HouseSettings(BaseSettings):
    """Where things are and how long we wait."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str | None = Field(
        None, description="PostgreSQL 14+; empty: an embedded PostgreSQL in TONGDAI_DATA_DIR"
    )
    tongdai_data_dir: Path = Field(Path("data"), description="Embedded database, attachments, logs, secret key")
    tongdai_host: str = Field("127.0.0.1", description="Address the gateway listens on; 0.0.0.0 behind a TLS proxy")
    tongdai_port: int = Field(8000, ge=1, le=65535, description="Port of chat, console and API")
    tongdai_public_url: str | None = Field(None, description="Address citizens see, e.g. https://1022.thanhhoa.gov.vn")
    tongdai_secret_key: SecretStr | None = Field(
        None, description="Signs sessions, encrypts tokens; empty: made once and kept in TONGDAI_DATA_DIR/secret.key"
    )
    tongdai_sample_banks: bool = Field(True, description="Import the sample question banks on the first start")
    tongdai_metrics_token: SecretStr | None = Field(None, description="Lets /metrics be read from other machines")
    tongdai_log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    rasa_python: Path = Field(Path(".venv-rasa/bin/python"), description="Interpreter of Rasa's environment")
    rasa_timeout_s: float = Field(4.0, gt=0, description="How long one call to Rasa may take")
    rasa_patience_s: float = Field(
        8.0, ge=0, description="How old a message may get while Rasa is down before it is answered without Rasa"
    )
    delivery_patience_s: float = Field(
        86_400.0, gt=0, description="How long a message may wait for a platform that refuses it before staff are told"
    )
    worker_concurrency: int = Field(16, ge=1, le=200, description="Conversations worked on at the same time")


class InternalSettings(BaseSettings):
    """What the supervisor tells its own children through the environment. Not for people."""

    model_config = SettingsConfigDict(env_prefix="TONGDAI_INTERNAL_", extra="ignore", frozen=True)

    rasa_url: str = "http://127.0.0.1:5005"
    rasa_token: SecretStr = SecretStr("")
    action_token: SecretStr = SecretStr("")
