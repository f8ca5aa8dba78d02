r"""Advertisements that strangers send to every page: loans, gambling, jobs, wares. Pure.

Careful rather than complete: what is taken for one gets a polite sentence and no ticket, so a citizen who complains
about such a message must never be. An advertisement offers something, and either says how to take it up or offers much,
and nothing in it sounds like people who ask or complain. Phrases are regular expressions on folded text, `;` between.
"""

import re
from typing import Final

from nlu_data.vi_nlu.text import clean, fold

MOST_WORDS: Final = 120
"""Longer messages are read by a person."""


def _any_of(phrases: str) -> re.Pattern[str]:
    alternatives = (phrase.strip() for phrase in re.split(r";|\n", phrases))
    return re.compile(rf"\b(?:{'|'.join(one for one in alternatives if one)})(?![a-z])")


_OFFERED: Final = _any_of(
    r"""
    vay (?:tien |von )?(?:nhanh|nong|gap|online|tin chap|the chap|tra gop|lai (?:suat )?thap|khong the chap)
    (?:cho|ho tro|nhan|goi) vay; can von; khong (?:can )?the chap; tin chap; giai ngan; dao han
    rut (?:tien )?the tin dung; duyet (?:ho so |vay )?(?:trong|nhanh|ngay|online); no xau van; bao no xau
    lai suat (?:chi|tu|uu dai|thap|\d\w*)
    lo de; danh de; soi cau; bach thu; ca do; ca cuoc; keo (?:bong|nha cai|chuan|thom); nha cai; game bai; no hu
    doi thuong; tai xiu; casino; xoc dia; nap (?:dau|lan dau|rut); t[iy] le 1 an \d+; 1 an \d\d+
    viec nhe luong cao; lam them tai nha; (?:ngay|tuan|thang) \d+ ?(?:k|tr|trieu)
    tuyen (?:gap |dung |them )?(?:\d+ )?(?:ctv|cong tac vien|nhan vien|nguoi lam|sale|lao dong|ban|nam nu)
    kiem tien (?:online|tai nha); lam (?:viec )?online tai nha; danh may tai nha
    thu nhap (?:tu|len den|khung|\d\w*); (?:hoa hong|loi nhuan|uu dai) (?:cao|khung|lon|len den|\d\w*)
    gia (?:re|goc|si|soc|tot); xa (?:kho|hang); thanh li; khuyen mai; giam gia; chiet khau; dong gia; flash ?sale
    giam (?:gia |den |toi |soc )?\d+\w*; ban (?:si|le); si le; free ?ship; mien phi ship
    hang (?:chinh hang|hieu|xach tay|auth); ban (?:dat|can ho|nha|xe|sim|hang)(?!.* khong$); dat nen; sim so dep
    chuyen (?:nhan|ban|cung cap|tuyen); tang (?:like|folow|tuong tac); hack (?:like|fb|acount)
    mua ban (?:ac|nick|acount)
    xem (?:boi|bong da|phim); khoa hoc; giam can; tang can; trang da; sinh li; yeu sinh; bo than; gai (?:xinh|goi)
    mas{1,2}age; lam bang (?:dai hoc|cap|gia|lai); bang lai (?:xe )?khong (?:can )?thi; lam giay to gia
    crypto; tien ao; forex; san giao dich; sinh loi; dau tu (?:loi nhuan|coin|online|thong minh)
    """
)
_TAKE_UP: Final = _any_of(
    r"""
    ib; inb; inbox; lh; alo ngay; zalo; tele; telegram; viber; uy tin; chi hom nay; ai (?:can|quan tam|co nhu cau)
    (?:lien he|goi|nhan tin|dang k[iy]|tham gia|vao nhom|tai ap) (?:ngay|em|e|minh|sdt|so|qua|tai|nhom|shop|t me|bit|de)
    vao nhom; tham gia nhom; tai ap
    """
)
_CONTACT: Final = re.compile(
    r"(?<!\d)(?:\+?84|0)\d[\d.\s]{1,7}[x*]{2,}[\d.x*]*|(?<![\d+])(?:\+?84|0)(?:[\s.\-]?\d){8,10}(?!\d)"
    r"|https?://|www\.|\b(?:bit\.ly|t\.me|[a-z0-9-]+\.(?:com|vn|net|shop|club|top|vip|xyz)\b|zalo\.me|tinyurl|lazada\.)",
    re.IGNORECASE,
)
"""A number, whole or half hidden, or a link; on text as written."""
_OF_A_PERSON: Final = _any_of(
    r"""
    bao (?:cho )?(?:ai|dau|cong an); to (?:cao|giac); lua; gia mao; gia danh; phan anh; kien nghi; khieu nai; de nghi
    bi (?:ep|doi|khung|de doa|quay|lam phien|mat); co phai; phai khong; dung khong; co dung; co that
    (?:nguoi|ho|ban em|hang xom|ke|dua|nhom|chung|no) .{0,20}(?:nhan|goi|moi|ru|cho vay|doi|dan|rai|ghi)
    nhan (?:duoc|dc); tin nhan (?:rac|nay|la); to roi; dan (?:day|kin|tren|o); xu ly; xu li
    thu tuc; the nao; o dau; lam sao; lam gi; bao nhieu; khi nao; bao gio; cho hoi; xin hoi; muon hoi; hoi ai
    duoc (?:khong|ko|k|chua); co (?:duoc|dc|the|bi|nen|can); xin (?:giup|tinh|xa|phuong|nha nuoc|ho tro|cuu)
    so (?:cua )?(?:toi|em|nha); ai thay; nha nuoc; ngan hang chinh sach; ho ngheo; sinh vien vay
    (?:toi|em|chau|con|bac) (?:bi|muon|can|dang|co|vua|nhan|hay)
    """
)
"""How people speak who ask, complain or tell."""


def is_advert(text: str) -> bool:
    """Is `text` an offer to everybody, and no question or complaint of a citizen?"""
    plain = fold(text)
    if len(plain.split()) > MOST_WORDS or _OF_A_PERSON.search(plain):
        return False
    offers = {found.group() for found in _OFFERED.finditer(plain)}
    taken_up = bool(_TAKE_UP.search(plain)) or bool(_CONTACT.search(clean(text)))
    return bool(offers) and (taken_up or len(offers) > 1)
