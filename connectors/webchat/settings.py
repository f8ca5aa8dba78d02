"""Settings of the web chat: who runs it, where it may be embedded, and what one sender may send."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CommaList = Annotated[tuple[str, ...], NoDecode]
"""In the environment: values with commas between them."""


class WebchatSettings(BaseSettings):
    """Environment variables that begin with `WEBCHAT_`."""

    model_config = SettingsConfigDict(env_prefix="WEBCHAT_", env_file=".env", extra="ignore", frozen=True)

    session_secret: SecretStr | None = Field(
        None, description="Khoá ký phiên trò chuyện; để trống thì hệ thống tự tạo và giữ trong thư mục dữ liệu"
    )
    session_days: PositiveInt = Field(365, description="Số ngày một phiên trò chuyện trên trang web còn dùng được")

    site_name: str = Field("Tổng đài 1022 Thanh Hóa", description="Tên hiện trên trang trò chuyện")
    operated_by: str = Field("UBND tỉnh Thanh Hóa", description="Cơ quan vận hành, hiện trong lời giới thiệu")
    hotline: str = Field("1022", description="Số điện thoại tổng đài, hiện trên trang")
    emergency: CommaList = Field(
        ("115 Cấp cứu", "113 Công an", "114 Cứu hoả"),
        description="Số khẩn cấp: số, dấu cách, tên; cách nhau bằng dấu phẩy",
    )

    allowed_origins: CommaList = Field(
        (), description="Trang web khác được gọi API từ trình duyệt (CORS), ví dụ https://thanhhoa.gov.vn"
    )
    embed_origins: CommaList = Field(
        ("*",), description="Trang web được nhúng khung trò chuyện (widget.js); * là mọi trang"
    )

    max_chars: PositiveInt = Field(4000, description="Độ dài tối đa của một tin nhắn, tính bằng ký tự")
    max_body_bytes: PositiveInt = Field(65536, description="Kích thước tối đa của một yêu cầu, tính bằng byte")
    session_burst: PositiveInt = Field(60, description="Số tin một phiên được gửi dồn một lúc")
    session_per_s: PositiveFloat = Field(5.0, description="Số tin mỗi giây một phiên được gửi lâu dài")
    address_burst: PositiveInt = Field(
        300, description="Số yêu cầu dồn một lúc từ một địa chỉ mạng (nhiều người chung)"
    )
    address_per_s: PositiveFloat = Field(30.0, description="Số yêu cầu mỗi giây từ một địa chỉ mạng")
    lookup_burst: PositiveInt = Field(20, description="Số lần tra cứu phiếu dồn một lúc từ một địa chỉ mạng")
    lookup_per_s: PositiveFloat = Field(0.2, description="Số lần tra cứu phiếu mỗi giây từ một địa chỉ mạng")
    unlimited_addresses: CommaList = Field(
        ("127.0.0.1", "::1"), description="Địa chỉ không bị giới hạn theo địa chỉ mạng (giới hạn theo phiên vẫn còn)"
    )
    streams_per_session: PositiveInt = Field(8, description="Số kết nối nhận tin trực tiếp cùng lúc của một phiên")
    max_streams: PositiveInt = Field(2000, description="Số kết nối nhận tin trực tiếp cùng lúc của cả hệ thống")
    heartbeat_s: PositiveFloat = Field(15.0, description="Nhịp giữ kết nối nhận tin trực tiếp, tính bằng giây")

    @field_validator("emergency", "allowed_origins", "embed_origins", "unlimited_addresses", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """ "a, b" becomes ("a", "b")."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
