"""One key, made once, whoever starts first."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.base.secret import derived, house_key
from bot.base.settings import HouseSettings

MAKE = """
import sys
from pathlib import Path
from bot.base.secret import house_key
from bot.base.settings import HouseSettings
sys.stdin.readline()
print(house_key(HouseSettings(tongdai_data_dir=Path(sys.argv[1]), tongdai_secret_key=None)).hex())
"""


def settings(folder: Path, key: str | None = None) -> HouseSettings:
    return HouseSettings(tongdai_data_dir=folder, tongdai_secret_key=SecretStr(key) if key else None)


def test_processes_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    keys = {one.communicate(timeout=300)[0].strip() for one in started}
    assert len(keys) == 1
    assert len(bytes.fromhex(keys.pop())) == 32
    assert [one.name for one in folder.iterdir()] == ["secret.key"]
    assert (folder / "secret.key").stat().st_mode & 0o077 == 0


def test_the_key_stays(tmp_path: Path) -> None:
    assert house_key(settings(tmp_path)) == house_key(settings(tmp_path))


def test_a_key_from_the_settings_needs_no_file(tmp_path: Path) -> None:
    assert house_key(settings(tmp_path, "bí mật")) == house_key(settings(tmp_path, "bí mật"))
    assert house_key(settings(tmp_path, "bí mật")) != house_key(settings(tmp_path, "khác"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", ["", "abcd", "không phải khoá", "00" * 31])
def test_a_damaged_key_is_refused(tmp_path: Path, kept: str) -> None:
    (tmp_path / "secret.key").write_text(kept)
    with pytest.raises(ValueError, match=r"damaged|hexadecimal"):
        house_key(settings(tmp_path))


def test_each_purpose_has_its_own_key(tmp_path: Path) -> None:
    key = house_key(settings(tmp_path))
    signs = {derived(key, purpose).get_secret_value() for purpose in ("webchat", "console", "zalo")}
    assert len(signs) == 3
    assert key.hex() not in signs
