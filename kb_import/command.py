"""`tongdai import`: the import for people at a terminal and for scripts. Exit 0 done, 2 refused, 3 needs a decision."""

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.prompt import Confirm

from bot.contracts.errors import DomainError
from bot.contracts.ids import UnitCode
from kb_import.columns import Mapping, parse_mapping
from kb_import.plan import ImportPlan, Status
from kb_import.problem import FileRefused
from kb_import.report import merged_json, refusal_json, report_json
from kb_import.service import ImportService
from kb_import.show import progress_bars, show_plan


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    REFUSED = 2
    NEEDS_DECISION = 3


async def run_import(
    service: ImportService,
    files: Sequence[Path],
    unit: UnitCode,
    *,
    plan_only: bool = False,
    yes: bool = False,
    retire: bool = False,
    as_json: bool = False,
    bank: str | None = None,
    mapping: str | None = None,
    console: Console,
    interactive: bool | None = None,
) -> int:
    """Plan every file, show the report, and apply what was agreed to. Nothing is applied if one file is refused.

    `yes` agrees to what the plans add, change and retire, unless more than half of a bank would be retired: that takes
    `retire` as well. Without `yes` a person at a terminal is asked, and anybody else gets exit 3.
    """
    quiet = console if not as_json else Console(stderr=True)
    if interactive is None:
        interactive = sys.stdin.isatty() and console.is_terminal and not as_json
    try:
        mappings = parse_mapping(mapping) if mapping else ()
    except DomainError as refused:
        return _refuse(
            console, as_json, [refusal_json(files[0].name, refused.message_vi, refused.code)], refused.message_vi
        )
    plans: list[ImportPlan] = []
    reports: list[dict[str, Any]] = []
    code = Exit.DONE
    for path in files:
        try:
            plan = await _plan(service, path, unit, bank, mappings, quiet)
        except DomainError as refused:
            reason = refused.reason if isinstance(refused, FileRefused) else refused.code
            reports.append(refusal_json(path.name, refused.message_vi, reason))
            if not as_json:
                console.print(f"[bold red]Từ chối[/] {path.name}: {refused.message_vi}", highlight=False)
            code = Exit.REFUSED
            continue
        if any(one.bank == plan.bank for one in plans):
            message = f"Hai tệp cùng thuộc bộ “{plan.bank}”. Hãy nạp từng tệp, hoặc đặt tên bộ khác bằng --bank."
            reports.append(refusal_json(path.name, message, "same_bank"))
            if not as_json:
                console.print(f"[bold red]Từ chối[/] {path.name}: {message}", highlight=False)
            code = Exit.REFUSED
            continue
        plans.append(plan)
        reports.append(report_json(plan))
        if not as_json:
            show_plan(plan, console)
        if plan.status is Status.REFUSED:
            code = Exit.REFUSED
        elif plan.status is Status.NEEDS_MAPPING and code is Exit.DONE:
            code = Exit.NEEDS_DECISION
    if code is Exit.DONE and not plan_only:
        code = await _apply(service, plans, yes=yes, retire=retire, interactive=interactive, console=quiet)
    if as_json:
        console.file.write(json.dumps(merged_json(reports), ensure_ascii=False) + "\n")
    return int(code)


async def _plan(
    service: ImportService,
    path: Path,
    unit: UnitCode,
    bank: str | None,
    mappings: Sequence[Mapping],
    console: Console,
) -> ImportPlan:
    with progress_bars(console) as progress:
        return await service.plan(path, unit=unit, bank=bank, mapping=mappings, progress=progress)


async def _apply(
    service: ImportService, plans: Sequence[ImportPlan], *, yes: bool, retire: bool, interactive: bool, console: Console
) -> Exit:
    """Apply every plan that has something to do; all questions are asked before the first is applied."""
    for plan in plans:
        if plan.status is Status.NOTHING:
            await service.remember(plan, by=None)
    ready = [plan for plan in plans if plan.status is Status.READY]
    if not ready:
        console.print("Không có gì thay đổi.")
        return Exit.DONE
    agreed: list[tuple[ImportPlan, bool]] = []
    for plan in ready:
        decision = _decide(plan, yes=yes, retire=retire, interactive=interactive, console=console)
        if decision is None:
            console.print(
                "[yellow]Chưa áp dụng: cần quyết định.[/] Xem báo cáo rồi chạy lại với --yes"
                + (" --retire (thu hồi hơn nửa bộ câu hỏi)." if plan.retires_most else "."),
                highlight=False,
            )
            return Exit.NEEDS_DECISION
        agreed.append((plan, decision))
    for plan, with_retirements in agreed:
        with progress_bars(console) as progress:
            applied = await service.apply(plan, by=None, retire=with_retirements, progress=progress)
        console.print(
            f"[green]Đã áp dụng[/] lần nạp số {applied.id}, bộ “{plan.bank}”: thêm {applied.added}, "
            f"sửa {applied.changed}, thu hồi {applied.retired}.",
            highlight=False,
        )
    return Exit.DONE


def _decide(plan: ImportPlan, *, yes: bool, retire: bool, interactive: bool, console: Console) -> bool | None:
    """Apply with retirements (True), without (False), or not at all (None)."""
    if yes:
        return None if plan.retires_most and not retire else True
    if not interactive:
        return None
    if not Confirm.ask(
        f"Áp dụng cho bộ “{plan.bank}”: thêm {len(plan.adds)}, sửa {len(plan.changes)}?", console=console
    ):
        return None
    if not plan.retirements:
        return False
    return Confirm.ask(f"Thu hồi {len(plan.retirements)} mục mà tệp mới không còn?", default=False, console=console)


def _refuse(console: Console, as_json: bool, reports: Sequence[dict[str, Any]], message: str) -> int:
    if as_json:
        console.file.write(json.dumps(merged_json(reports), ensure_ascii=False) + "\n")
    else:
        console.print(f"[bold red]Từ chối[/] {message}", highlight=False)
    return int(Exit.REFUSED)
