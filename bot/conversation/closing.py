r"""Words by which a citizen lets the matter rest: "thôi không cần nữa, tôi tự tìm được rồi". Pure.

Only if nothing else is said: a closing word inside a question ("không cần giấy đi đường nữa phải không") is none.
Phrases are regular expressions on folded text.
"""

import re
from typing import Final

from nlu_data.vi_nlu.text import fold

MOST_WORDS: Final = 14
"""Longer messages say more than that."""
_NOT: Final = r"(?:khong|ko|k|kg|hong|hok|chang|dung)"
_DONE: Final = r"(?:roi|r)"
_JUST_STOP: Final = re.compile(
    rf"^(?:(?:da|a|ok|oke|vang|u) )*thoi(?: (?:nhe|nha|vay|a|em|ban|ad|ok|duoc roi|the|{_NOT}))*$"
)
_CLOSES: Final = re.compile(
    r"\b(?:"
    + "|".join(
        (
            r"khoi(?: can| phien| hoi| tra loi| nua| a| nhe| di|$)",
            rf"{_NOT} (?:can|phai|hoi|nho|phien|lam|tra loi|gap|dung|xem)(?: \w+){{0,4}}? nua",
            rf"{_NOT} can(?: dau| a| nhe| roi)*$",
            r"bo (?:qua )?di|de (?:luc khac|khi khac|hom khac|sau)|het (?:chuyen|viec|cau hoi) roi",
            r"tu (?:tim|hoi|lam|xu l[iy]|giai quyet|xem|tra)(?: \w+){0,2}? (?:duoc|dc|xong|ra)",
            rf"(?:tim|hoi|lam|giai quyet|xu l[iy]|xem|tra|biet)(?: \w+){{0,3}}? (?:duoc|dc|ra|xong) {_DONE}",
            rf"hoi (?:duoc |dc )(?:\w+ ){{1,3}}{_DONE}",
            r"(?:nguoi|ban|chi|anh|can bo|hang xom|con|bo|me)(?: \w+){0,2}? (?:giup|chi|bao|tra loi|giai thich)"
            rf"(?: \w+){{0,3}}? {_DONE}",
            rf"xong (?:viec )?{_DONE}",
        )
    )
    + r")(?!\w)"
)
_ENDS: Final = re.compile(
    r"\b(?:thoi|khoi|nua|cam on|tks|thanks?|(?:khong|ko|k) can|bo di|het|de sau|tu|xong"
    r"|(?:ra|duoc|dc) (?:\w+ ){0,3}(?:roi|r))\b"
)
"""Without one of these it may only be told how far something has come."""
_MAY_STAND: Final = frozenset(
    re.findall(
        r"\w+",
        """thoi khoi khong ko k kg hong hok chang dung can phai hoi nho phien lam tra loi gap nua dau a nhe nha vay the
        bo qua di de luc khac khi hom sau het chuyen viec cau roi r tu tim xu li ly giai quyet duoc dc xong ra biet
        nguoi ban chi anh co can bo hang xom con me vo chong chau em toi minh e bac chu ba ong ad admin shop oi da vang
        u ok oke cam on cam tks thank thanks nhieu giup bao thich ho tro ho khoi ai do ben xa phuong chinh tren cac
        mang google luon nhung day kia gi cho xem la thi cung may ha nay vua moi mot duoi ta hieu lai rut gui phieu y
        mai""",
    )
)
"""Words that may stand around; with any other word the message is about something."""
_ASKS: Final = re.compile(
    r"\b(?:the nao|lam sao|o dau|khi nao|bao gio|bao nhieu|la gi|lam gi|(?:phai|duoc|dc) (?:khong|ko|k)|chua$|cho hoi"
    r"|chua (?:ai|tra loi|thay)|hoi (?:cai|cau|viec|chuyen|them|chut|ti) ?(?:khac|nua)?(?! (?:duoc|dc|roi|xong)))"
)


def is_closing(text: str) -> bool:
    """Does the citizen say, and only say, that nothing more is needed?"""
    plain = fold(text)
    words = plain.split()
    if not words or len(words) > MOST_WORDS or text.rstrip().endswith("?"):
        return False
    if _JUST_STOP.match(plain):
        return True
    if _ASKS.search(plain) or not set(words) <= _MAY_STAND:
        return False
    return bool(_CLOSES.search(plain) and _ENDS.search(plain))
