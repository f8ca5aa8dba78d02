"""The report of a plan as JSON: what `tongdai import --json` prints and the console offers for download."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from kb_import.found import FoundRow
from kb_import.plan import Change, ImportPlan
from kb_import.problem import Problem


def report_json(plan: ImportPlan) -> dict[str, Any]:
    """Numbers, findings and entries of one plan. Days are ISO or null; rows count from 1, columns are letters."""
    return {
        "file": plan.source.file_name,
        "sha256": plan.source.sha256,
        "kind": plan.reading.kind.value,
        "unit": plan.unit,
        "bank": plan.bank,
        "status": plan.status.value,
        "add": len(plan.adds),
        "change": len(plan.changes),
        "retire": len(plan.retirements),
        "unchanged": plan.unchanged,
        "problems": [problem_json(one) for one in plan.problems],
        "entries": [entry_json(one) for one in plan.reading.rows],
        "changes": [_change_json(one) for one in plan.changes],
        "retirements": [
            {"entry": one.id, "question": one.draft.question, "answer": one.draft.answer} for one in plan.retirements
        ],
        "skipped": [one.sheet for one in plan.reading.skipped],
        "proposals": [
            {
                "sheet": one.layout.sheet,
                "map": one.layout.as_mapping().say(),
                "preview": [entry_json(row) for row in one.preview],
            }
            for one in plan.reading.proposals
        ],
        "conversions": [
            {
                "sheet": one.sheet,
                "column": one.column,
                "encoding": one.encoding_vi,
                "before": one.before,
                "after": one.after,
            }
            for one in plan.reading.conversions
        ],
    }


def merged_json(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One report for several files: numbers added up, findings and entries in the order of the files."""
    if len(reports) == 1:
        return reports[0]
    total: dict[str, Any] = {
        name: sum(one[name] for one in reports) for name in ("add", "change", "retire", "unchanged")
    }
    total["problems"] = [{**problem, "file": one["file"]} for one in reports for problem in one["problems"]]
    total["entries"] = [{**entry, "file": one["file"]} for one in reports for entry in one["entries"]]
    total["files"] = list(reports)
    return total


def refusal_json(file_name: str, message: str, reason: str) -> dict[str, Any]:
    """The report of a file that can't be read."""
    return {
        "file": file_name,
        "status": "refused",
        "add": 0,
        "change": 0,
        "retire": 0,
        "unchanged": 0,
        "problems": [
            {
                "sheet": None,
                "row": None,
                "column": None,
                "cell": None,
                "severity": "error",
                "code": reason,
                "message": message,
            }
        ],
        "entries": [],
    }


def problem_json(one: Problem) -> dict[str, Any]:
    """A finding."""
    return {
        "sheet": one.sheet or None,
        "row": one.row,
        "column": one.column,
        "cell": one.cell or None,
        "severity": one.severity.value,
        "code": one.code,
        "message": one.message,
    }


def entry_json(row: FoundRow) -> dict[str, Any]:
    """A row as it was understood."""
    return {
        "question": row.question,
        "phrasings": list(row.phrasings),
        "answer": row.answer,
        "field": row.field or None,
        "valid_from": _day(row.valid_from),
        "valid_until": _day(row.valid_until),
        "legal_basis": row.legal_basis or None,
        "confirmed_on": _day(row.confirmed_on),
        "place": row.place or None,
        "sheet": row.sheet,
        "row": row.row,
    }


def _change_json(one: Change) -> dict[str, Any]:
    return {
        "entry": one.entry.id,
        "sheet": one.row.sheet,
        "row": one.row.row,
        "fields": list(one.changed_fields),
        "question": [{"kind": piece.kind.value, "text": piece.text} for piece in one.question_difference],
        "answer": [{"kind": piece.kind.value, "text": piece.text} for piece in one.answer_difference],
        "phrasings_added": list(one.added_phrasings),
        "phrasings_removed": list(one.removed_phrasings),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
