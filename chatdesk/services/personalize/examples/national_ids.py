"""National ids of persons with a form and a checksum (or dates) of their own.

Numbers that could be anything only match with their usual separators. Imported when a preview is
made: reading the tables takes a moment.
"""

import re
from collections.abc import Callable

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.jp import in_ as my_number
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import ssn
from stdnum.za import idnr as za_idnr


def _always(number: str) -> bool:
    return True


_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{3}-\d\d-\d{4}", ssn.is_valid),  # USA
    (r"\d{3}-\d{3}-\d{3}", sin.is_valid),  # Canada
    # Britain's National Insurance number has no checksum:
    # https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
    (r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D]", _always),
    (r"\d{3} \d{3} \d{4}", nhs.is_valid),  # Britain
    (r"\d{17}[\dXx]", ric.is_valid),  # China
    (r"\d\d ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid),  # Germany
    (r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", nir.is_valid),  # France
    (r"\d{8}-?[A-Z]", dni.is_valid),  # Spain
    (r"[XYZ]-?\d{7}-?[A-Z]", nie.is_valid),  # foreigners in Spain
    (r"[A-Z]{6}[\dL-NP-V]{2}[A-Z][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", codicefiscale.is_valid),
    (r"\d{4}[ -]\d{4}[ -]\d{4}", aadhaar.is_valid),  # India
    (r"[A-Z]{5}\d{4}[A-Z]", pan.is_valid),  # India
    (r"\d{4} \d{4} \d{4}", my_number.is_valid),  # Japan
    (r"\d{6}-[1-8]\d{6}", rrn.is_valid),  # Korea
    (r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", cpf.is_valid),  # Brazil
    (r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", curp.is_valid),  # Mexico
    (r"\d{11}", pesel.is_valid),  # Poland
    (r"[1-9]\d{10}", tckimlik.is_valid),  # Turkey
    (r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", nn.is_valid),  # Belgium
    (r"756\.\d{4}\.\d{4}\.\d\d", ahv.is_valid),  # Switzerland
    (r"\d{6}(?:\d\d)?[-+]\d{4}", personnummer.is_valid),  # Sweden
    (r"\d{6} ?\d{5}", fodselsnummer.is_valid),  # Norway
    (r"\d{6}-\d{4}", cpr.is_valid),  # Denmark
    (r"\d{6}[-+A-F]\d{3}[0-9A-Y]", hetu.is_valid),  # Finland
    (r"\d{13}", za_idnr.is_valid),  # South Africa
)
NATIONAL_IDS = tuple(
    (re.compile(rf"(?<![\w.,/-])(?<!\d ){form}(?![\w/-]|[., ]\d)", re.ASCII), is_valid)
    for form, is_valid in _FORMS
)
