"""Settings of the Messenger channel, read from the environment or `.env`."""

from pydantic import AliasChoices, Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.attachments import Sources

DEFAULT_BASE = "https://graph.facebook.com"
MEDIA_HOSTS = ("fbcdn.net", "fbsbx.com")


class MessengerSettings(BaseSettings):
    """What the Messenger channel needs; without the first four it is off."""

    model_config = SettingsConfigDict(
        env_prefix="MESSENGER_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    app_secret: SecretStr = Field(SecretStr(""), description="App Secret của ứng dụng trên Meta for Developers")
    page_token: SecretStr = Field(SecretStr(""), description="Page access token (nên là của system user)")
    verify_token: SecretStr = Field(SecretStr(""), description="Chuỗi tự đặt, khai ở trang Webhooks của Meta")
    page_id: str = Field("", description="Mã trang Facebook")
    app_id: str = Field("", description="App ID; có thì nhận ra tin do chính ứng dụng gửi")
    human_agent: bool = Field(False, description="Bật khi Meta đã duyệt tính năng Human Agent (7 ngày cho cán bộ)")
    graph_api_base: str = Field(
        DEFAULT_BASE,
        validation_alias=AliasChoices("GRAPH_API_BASE", "graph_api_base"),
        description="Địa chỉ Graph API, đổi khi chạy với bộ giả lập",
    )
    graph_api_version: str = Field(
        "v25.0",
        validation_alias=AliasChoices("GRAPH_API_VERSION", "graph_api_version"),
        description="Phiên bản Graph API",
    )
    messages_per_second: PositiveFloat = 30.0
    """Meta allows 300 texts a second, but above 40 the page's inbox freezes."""
    timeout_s: PositiveFloat = 10.0
    """Seconds that one call may take. Platforms answer within one; after ten nobody will answer any more."""
    history_settle_s: NonNegativeFloat = 8.0
    """Seconds that a message may be under way before it shows in the platform's history."""
    clock_skew_s: NonNegativeFloat = 120.0
    """Seconds by which Meta's clock and ours may differ when its history is compared with our rows."""
    replay_window_s: PositiveInt = 36 * 3600 + 3600
    """Seconds. Meta may repeat for a day and a half; older events are left out as stale."""

    @property
    def sources(self) -> Sources:
        """Where citizens' attachments may be fetched from: Meta's delivery networks, or a simulator."""
        is_simulated = self.graph_api_base != DEFAULT_BASE
        return Sources(MEDIA_HOSTS, (self.graph_api_base.rstrip("/"),) if is_simulated else ())

    @property
    def why_off(self) -> str | None:
        """For people: what is missing, or None when the channel is on."""
        needed = {
            "MESSENGER_APP_SECRET": self.app_secret.get_secret_value(),
            "MESSENGER_PAGE_TOKEN": self.page_token.get_secret_value(),
            "MESSENGER_VERIFY_TOKEN": self.verify_token.get_secret_value(),
            "MESSENGER_PAGE_ID": self.page_id,
        }
        missing = [name for name, value in needed.items() if not value]
        return f"Kênh Messenger đang tắt: chưa đặt {', '.join(missing)}." if missing else None

    @property
    def is_on(self) -> bool:
        """True when nothing needed is missing."""
        return self.why_off is None
