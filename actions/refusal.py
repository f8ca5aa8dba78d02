"""How people leave a step of the report form out: "bỏ qua", "máy hỏng", "ngại cho số lắm". Pure."""

import re

from nlu_data.vi_nlu.text import fold

MOST_REFUSAL_WORDS = 12
"""Longer than this, the message tells more than that a step is left out."""

_SKIPS = re.compile(
    r"^(?:(?:da|vang|thoi|a|dc|em|minh|toi|chau)\s)*"
    r"(?:bo qua(?: di| buoc nay)?|khong|ko|k|kg|hong|hok|khong co|ko co|k co|chua co|khong (?:can|muon|tien"
    r"|gui|chup|nho|ro|biet)"
    r"|ko (?:can|muon|tien|gui|chup|nho|ro|biet)|k (?:can|muon|tien|gui|chup|nho|ro|biet)|skip|next|tiep|de sau|chiu"
    r"|khoi(?: can)?|mien)"
    r"(?:\s(?:a|nhe|nha|dau|ro|dc|duoc|anh|hinh|sdt|so|noi|cho|chinh xac|can|cam on|ban|em|oi|luon|de|lai|lam"
    r"|ca|gi|chup))*$"
)
_REFUSES = re.compile(
    r"\b(?:khong|ko|k|kg|hong|hok|khum|chua|chang|dung|khoi|mien|thoi|quen|ngai|kho|can gi|lam gi co"
    r"|so (?:lo|bi|phien|lam)|sao (?:duoc|dc|noi|ma))\b"
)
_BROKEN = re.compile(r"\b(?:hong|hu|loi|vo|cui|yeu|mo|het pin|can pin|het dung luong|nat|te|den thui)\b")
_OF_PHOTO = re.compile(r"\b(?:anh|hinh|chup|quay|camera|may|dien thoai|dt|video|clip)\b")
_OF_PHONE = re.compile(r"\b(?:so|sdt|dt|dien thoai|phone|goi|lien lac|lien he|zalo|sim|may)\b")
_HERE = re.compile(
    r"\b(?:nhan|tra loi|bao|rep|lien he|lien lac)(?: tin)?(?: \w+){0,3}?"
    r" (?:o|tai|qua|vao) (?:day|zalo|tin nhan|face|mes)\b"
)
_ENOUGH = re.compile(
    r"^(?:(?:da|a|thoi|ok|vang|the) )*(?:khoi|mien|thoi khoi|khoi can|du roi|the thoi|the la du|vay thoi|xong)\b"
)
_AROUND_STEP = frozenset(
    re.findall(
        r"\w+",
        """khong ko k kg hong hok khum chua chang dung khoi mien thoi quen ngai so kho bo can gi hu loi vo do cui yeu
        mo het pin luong nat te anh hinh chup quay camera may dien thoai dt sdt video clip phone goi lien
        lac he zalo sim da a vang ok nhe nha dau em minh toi chau con bac co chu ong ba chi ban ad qua lam
        roi nua the thi la duoc dc kip nao luc day nay ay gio luon cho de lai gui dua cung cap muon thich
        tien xai biet nho noi ro nhanh mat mang theo o ngoai troi dem mua xa trong bi tai vi nen vua moi ai
        khi di phien rieng tu lo thong tin ca nhan tra vao rep bao du xong bay lay cuc gach nghe nguoi ta
        xau cu doi sao tam lon nhiu nhieu it cam tay dang sac duoi tren hay cai dep net thay nhin nhung ma
        voi va hoac dam the ra tinh""",
    )
)
"""Words that may stand around a refused step: with any other word it tells more about what happened."""


def is_skip(text: str) -> bool:
    """ "bỏ qua", "không có ạ", "k nhớ": the citizen leaves this step out."""
    return bool(_SKIPS.match(fold(text)))


def is_refusal(text: str, step: str) -> bool:
    """Is a photo or a number refused in other words: "máy hỏng", "cháu không có máy ảnh", "ngại cho số lắm"?"""
    plain = fold(text)
    words = plain.split()
    if step not in ("report_photo", "report_phone") or not 0 < len(words) <= MOST_REFUSAL_WORDS:
        return False
    if not set(words) <= _AROUND_STEP:
        return False
    if _ENOUGH.match(plain):
        return True
    if step == "report_photo":
        return bool(_OF_PHOTO.search(plain)) and bool(_REFUSES.search(plain) or _BROKEN.search(plain))
    return bool(_HERE.search(plain)) or bool(
        _OF_PHONE.search(plain) and (_REFUSES.search(plain) or _BROKEN.search(plain))
    )
