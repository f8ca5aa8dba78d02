"""`.env.example` names every setting of every room, and nothing else."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from bot.base.settings import HouseSettings, InternalSettings

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("bot", "connectors", "faq", "handoff", "kb_import", "actions", "console")
SET_BY = re.compile(r"^#?\s*([A-Z][A-Z0-9_]*)=")


def settings_classes() -> list[type[BaseSettings]]:
    """Every settings class of the rooms but the supervisor's own."""
    for path in sorted(one for room in ROOMS for one in (ROOT / room).rglob("settings.py")):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found = [one for one in BaseSettings.__subclasses__() if one.__module__.split(".")[0] in ROOMS]
    return sorted((one for one in found if one is not InternalSettings), key=lambda one: one.__name__)


def variables() -> dict[str, str]:
    """Name of the environment variable → where it is declared."""
    found: dict[str, str] = {}
    for one in settings_classes():
        prefix = str(one.model_config.get("env_prefix") or "")
        for name, field in one.model_fields.items():
            alias = field.validation_alias or field.alias
            given = alias if isinstance(alias, str) else f"{prefix}{name}"
            found[given.upper()] = f"{one.__name__}.{name}"
    return found


def test_every_class_is_found_and_no_two_share_a_variable() -> None:
    names = {one.__name__ for one in settings_classes()}
    assert {"HouseSettings", "ZaloSettings", "MessengerSettings", "WebchatSettings", "FaqSettings"} <= names
    assert len(variables()) == sum(len(one.model_fields) for one in settings_classes())
    assert {"DATABASE_URL", "TONGDAI_PORT", "ZALO_APP_SECRET", "MESSENGER_PAGE_TOKEN"} <= variables().keys()


def test_the_example_lists_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = {found.group(1) for line in example.splitlines() if (found := SET_BY.match(line))}
    assert listed == variables().keys()


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda one: one.__name__)
def test_a_setting_that_was_read_cannot_change(settings: type[BaseSettings]) -> None:
    assert settings.model_config.get("frozen")


def test_a_wrong_value_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        HouseSettings(tongdai_port=70000)
