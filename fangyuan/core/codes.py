"""Codes people type or paste: credit codes, telephone numbers, mail addresses, post codes.

Each reader returns the one form that is stored, or raises CodeError that says what is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

_USCC_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES: Final = {char: value for value, char in enumerate(_USCC_DIGITS)}
_USCC_WEIGHTS: Final = [pow(3, place, 31) for place in range(17)]
_USCC_LENGTH: Final = 18
_OLD_REGISTRATION: Final = 15
_ORGANISATION: Final = 9
_USCC_LIKELY: Final = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}
_USCC_AUTHORITIES: Final = "123456789ANY"
_REGION: Final = slice(2, 8)
_EMAIL_LONGEST: Final = 254
_LOCAL_LONGEST: Final = 64
_POSTCODE_LENGTH: Final = 6

_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_SERVICE: Final = re.compile(r"(400|800)(\d{3})(\d{4})")
_SHORT: Final = re.compile(r"1[012]\d{3}|9[56]\d{3,4}")
_LANDLINE: Final = re.compile(r"(010|02[0-57-9]|0[3-9]\d{2})([2-9]\d{6,7})")
_FOREIGN: Final = re.compile(r"\+[1-9]\d{6,14}")
_COUNTRY: Final = re.compile(
    r"^(?:\+86|0086|86(?=1[3-9]\d{9}$|0?[2-9]\d{9,10}$|0?10\d{8}$))0?(?=\d)"
)
_EXTENSION: Final = re.compile(r"(?:转|分机号?|ext\.?|x|#|[,;])[-:. ]*(\d{1,6})$", re.IGNORECASE)
_DASHED_EXTENSION: Final = re.compile(r"^(.*\d{7,8})-(\d{1,6})$")
_SCIENTIFIC: Final = re.compile(r"\d+(\.\d+)?e\+?\d+", re.IGNORECASE)
_SPREADSHEET: Final = re.compile(r"(\d+)\.0+")
_LOCAL_PART: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# What a stored value looks like, as POSIX expressions for the database. The check digit of a credit
# code is beyond them; it is verified where the value is written.
STORED: Final = {
    "uscc": r"^[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$",
    "phone": (
        r"^(1[3-9][0-9]{9}|(400|800)-[0-9]{3}-[0-9]{4}|1[012][0-9]{3}|9[56][0-9]{3,4}"
        r"|0[0-9]{2,3}-[2-9][0-9]{6,7}(-[0-9]{1,6})?|\+[1-9][0-9]{6,14})$"
    ),
    "email": r"^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9-]+\.)+[a-z0-9-]{2,63}$",
    "postcode": r"^[0-9]{6}$",
}


class CodeError(ValueError):
    """A code that cannot be right, with the reason in Chinese."""


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(filter(str.isprintable, unicodedata.normalize("NFKC", text))).strip()


def uscc(text: str) -> str:
    """Read a unified social credit code (统一社会信用代码) and check its last digit."""
    code = re.sub(r"[\s-]", "", _plain(text)).upper()
    if len(code) != _USCC_LENGTH:
        raise CodeError(_length_fault(code))
    if strange := next((char for char in code if char not in _USCC_VALUES), ""):
        likely = _USCC_LIKELY.get(strange)
        hint = f"，可能是 {likely}" if likely else ""
        place = code.index(strange) + 1
        raise CodeError(f"第 {place} 位「{strange}」不会出现在统一社会信用代码中{hint}")
    if code[0] not in _USCC_AUTHORITIES:
        raise CodeError(f"第 1 位「{code[0]}」不是登记管理部门代码")
    if not code[_REGION].isdigit():
        raise CodeError(f"第 3 至 8 位「{code[_REGION]}」应为数字的行政区划码")
    expected = uscc_check_digit(code[:-1])
    if code[-1] != expected:
        raise CodeError(f"校验位不符：按前 17 位应为 {expected}，现为 {code[-1]}，请核对有无错位")
    return code


def _length_fault(code: str) -> str:
    if code.isdigit() and len(code) == _OLD_REGISTRATION:
        return "这是 15 位旧注册号，请填 18 位统一社会信用代码"
    if len(code) == _ORGANISATION:
        return "这是 9 位组织机构代码，请填 18 位统一社会信用代码"
    return f"统一社会信用代码应为 18 位，现为 {len(code)} 位"


def uscc_check_digit(first: str) -> str:
    """Compute the eighteenth character from the seventeen before it (GB 32100)."""
    total = sum(
        _USCC_VALUES[char] * weight for char, weight in zip(first, _USCC_WEIGHTS, strict=True)
    )
    return _USCC_DIGITS[-total % 31]


def phone(text: str) -> str:
    """Read a telephone number: mobile, landline with area code, 400/800, hotline or foreign."""
    number = _SPREADSHEET.sub(r"\1", _plain(text))
    if not number:
        raise CodeError("电话为空")
    if _SCIENTIFIC.fullmatch(number):
        raise CodeError("电话成了科学计数法，位数已丢，请把该列设为文本后重填")
    if re.search(r"\d{7,}\s*[/、，;；|]\s*\+?\d{7,}", number):
        raise CodeError("一格只填一个电话")
    number, extension = _split_extension(number)
    digits = re.sub(r"[\s().·–—-]", "", number)
    digits = _COUNTRY.sub(_after_country, digits)
    if not re.fullmatch(r"\+?\d+", digits):
        strange = re.sub(r"[\d+]", "", digits)
        raise CodeError(f"电话含有「{strange[:10]}」，只能用数字")
    return _joined(digits, extension)


def _split_extension(number: str) -> tuple[str, str]:
    found = _EXTENSION.search(number)
    if found:
        return number[: found.start()], found[1]
    dashed = _DASHED_EXTENSION.match(number)
    if dashed and re.match(r"\(?0", number):
        return dashed[1], dashed[2]
    return number, ""


def _after_country(found: re.Match[str]) -> str:
    """Drop the country code; a landline keeps or regains the 0 of its area code."""
    rest = found.string[found.end() :]
    return "" if re.match(r"1[3-9]\d{9}$|400|800|9[56]\d{3,4}$|1[012]\d{3}$", rest) else "0"


def _joined(digits: str, extension: str) -> str:
    landline = _LANDLINE.fullmatch(digits)
    if landline:
        return "-".join(filter(None, (landline[1], landline[2], extension)))
    if extension:
        raise CodeError("只有带区号的座机能写分机号")
    if _MOBILE.fullmatch(digits) or _SHORT.fullmatch(digits) or _FOREIGN.fullmatch(digits):
        return digits
    if service := _SERVICE.fullmatch(digits):
        return "-".join(service.groups())
    raise CodeError(_phone_fault(digits))


def _phone_fault(digits: str) -> str:
    size = len(digits)
    faults = {
        r"\+.*": "国际号码应为 + 加国家码和号码，共 7 至 15 位数字",
        r"1\d{10}": "手机号段不对，第二位应为 3 至 9",
        r"1.*": f"手机号应为 11 位，现为 {size} 位",
        r"[48]00.*": f"400、800 电话应为 10 位，现为 {size} 位",
        r"0.*": f"座机「{digits}」的区号或位数不对，应如 0755-26712345",
        r"\d{7,8}": "座机缺区号，应如 0755-26712345",
        r".*": f"电话「{digits[:20]}」不是手机、带区号的座机或 400 号码",
    }
    return next(fault for shape, fault in faults.items() if re.fullmatch(shape, digits))


def email(text: str) -> str:
    """Read a mail address; it is stored in lower case."""
    address = _plain(text).removeprefix("mailto:").lower().replace("。", ".")
    if re.search(r"[\s,;，；、]", address):
        raise CodeError("邮箱中有空格或逗号，一格只填一个邮箱")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or "@" in local:
        raise CodeError("邮箱应有且只有一个 @，如 name@example.com")
    if len(address) > _EMAIL_LONGEST or len(local) > _LOCAL_LONGEST:
        raise CodeError("邮箱过长")
    if not _LOCAL_PART.fullmatch(local):
        raise CodeError(f"邮箱 @ 前的「{local}」含有不能用的字符，或点号位置不对")
    *labels, last = domain.split(".")
    right = bool(labels) and all(map(_DOMAIN_LABEL.fullmatch, labels))
    if not right or not re.fullmatch(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}", last):
        raise CodeError(f"邮箱 @ 后的「{domain}」不是域名")
    return address


def postcode(text: str) -> str:
    """Read a six-digit post code."""
    code = _SPREADSHEET.sub(r"\1", _plain(text))
    if not re.fullmatch(r"[0-9]+", code):
        raise CodeError("邮编只能用数字")
    if len(code) != _POSTCODE_LENGTH:
        raise CodeError(f"邮编应为 6 位，现为 {len(code)} 位")
    return code


FORMATS: Final[dict[str, Callable[[str], str]]] = {
    "uscc": uscc,
    "phone": phone,
    "email": email,
    "postcode": postcode,
}


def fault(form: str, text: str) -> str:
    """Say what is wrong with a text in a named format; nothing if it is right."""
    try:
        FORMATS[form](text)
    except CodeError as wrong:
        return str(wrong)
    return ""


def is_valid(form: str, text: str) -> bool:
    """Tell whether a text can be read in a named format, as the word `valid` asks."""
    return not fault(form, text)
