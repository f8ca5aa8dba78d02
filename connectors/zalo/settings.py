"""Settings of the Zalo channel, read from the environment or `.env`."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.attachments import Sources

DEFAULT_BASE = "https://openapi.zalo.me"
MEDIA_HOSTS = ("zdn.vn", "zadn.vn", "zalo.me", "zaloapp.com")


class ZaloSettings(BaseSettings):
    """What the Zalo channel needs; without the first three it is off."""

    model_config = SettingsConfigDict(env_prefix="ZALO_", env_file=".env", extra="ignore", frozen=True)

    app_id: str = Field("", description="Mã ứng dụng (App ID), trong trang quản trị Zalo for Developers")
    app_secret: SecretStr = Field(SecretStr(""), description="Khoá bí mật của ứng dụng (App Secret)")
    oa_secret: SecretStr = Field(SecretStr(""), description="OA Secret Key, ở trang Webhook của ứng dụng")
    oa_id: str = Field("", description="Mã Official Account; có thì tin gửi cho OA khác bị bỏ qua")
    access_token: SecretStr = Field(SecretStr(""), description="Chỉ dùng ở lần khởi động đầu tiên")
    refresh_token: SecretStr = Field(SecretStr(""), description="Chỉ dùng ở lần khởi động đầu tiên")
    api_base: str = Field(DEFAULT_BASE, description="Địa chỉ API, đổi khi chạy với bộ giả lập")
    oauth_base: str = Field("https://oauth.zaloapp.com", description="Địa chỉ cấp quyền")
    callback_url: str = Field("", description="Địa chỉ quay về sau khi cấp quyền, đúng từng ký tự như đã đăng ký")
    code_verifier: SecretStr = Field(
        SecretStr(""), description="Chỉ khi trang quản trị Zalo giữ code challenge cố định"
    )
    require_proof: bool = Field(False, description="Gửi appsecret_proof theo mỗi lời gọi API")
    replay_window_s: PositiveInt = 7200
    """Seconds. Zalo repeats for nearly two hours; see connectors/zalo/README.md."""
    refresh_ahead_s: PositiveInt = 5 * 3600
    """Seconds before its end at which an access token (25 h) is replaced."""
    messages_per_second: PositiveFloat = 40.0
    """Zalo allows 4,000 calls a minute for an app; a call is also made for uploads and history."""
    timeout_s: PositiveFloat = 10.0
    """Seconds that one call may take. Platforms answer within one; after ten nobody will answer any more."""
    history_settle_s: NonNegativeFloat = 8.0
    """Seconds that a message may be under way before it shows in the platform's history."""
    clock_skew_s: NonNegativeFloat = 120.0
    """Seconds by which Zalo's clock and ours may differ when its history is compared with our rows."""

    @property
    def sources(self) -> Sources:
        """Where citizens' attachments may be fetched from: Zalo's delivery networks, or a simulator."""
        is_simulated = self.api_base != DEFAULT_BASE
        return Sources(MEDIA_HOSTS, (self.api_base.rstrip("/"),) if is_simulated else ())

    @property
    def why_off(self) -> str | None:
        """For people: what is missing, or None when the channel is on."""
        needed = {
            "ZALO_APP_ID": self.app_id,
            "ZALO_APP_SECRET": self.app_secret.get_secret_value(),
            "ZALO_OA_SECRET": self.oa_secret.get_secret_value(),
        }
        missing = [name for name, value in needed.items() if not value]
        return f"Kênh Zalo đang tắt: chưa đặt {', '.join(missing)}." if missing else None

    @property
    def is_on(self) -> bool:
        """True when nothing needed is missing."""
        return self.why_off is None
