"""The trained model, judged by Rasa's own tools."""

import subprocess
from pathlib import Path

import pytest

from actions.sidecar import DATA, rasa_environment
from tests.actions.conftest import ROOT, rasa_python, trained_model

pytestmark = pytest.mark.slow


def rasa(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(rasa_python()), "-m", "rasa", *arguments],
        cwd=ROOT,
        env={**rasa_environment(ROOT), "LOG_LEVEL": "INFO"},
        capture_output=True,
        text=True,
        timeout=800,
    )


def test_rasa_finds_nothing_wrong_with_the_data() -> None:
    """Rasa can't see the responses that our actions and the form say; test_data.py checks those."""
    checked = rasa("data", "validate", "--domain", "domain.yml", "--data", *DATA)
    said = checked.stdout + checked.stderr
    assert checked.returncode == 0, said
    complaints = [
        line for line in said.splitlines() if "UserWarning" in line and "is not used in any story" not in line
    ]
    assert complaints == []
    assert "No story structure conflicts found" in said


def test_stories_are_told_as_written(tmp_path: Path) -> None:
    """From the citizens' words to the actions, without one wrong prediction."""
    told = rasa(
        *("test", "core", "--model", str(trained_model()), "--stories", "tests/nlu_data/stories"),
        *("--e2e", "--fail-on-prediction-errors", "--out", str(tmp_path)),
    )
    assert told.returncode == 0, (told.stdout + told.stderr)[-3000:]
