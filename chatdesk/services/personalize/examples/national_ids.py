"""National ids of persons with a form and a checksum (or dates) of their own.

Numbers that could be anything only match with their usual separators.
"""

import re
from collections.abc import Iterator

# A form, and the check of its numbers in `id_checks`.
_FORMS: tuple[tuple[str, str], ...] = (
    (r"\d{3}-\d\d-\d{4}", "us.ssn"),  # USA
    (r"\d{3}-\d{3}-\d{3}", "ca.sin"),  # Canada
    # Britain's National Insurance number has no checksum:
    # https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
    (r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D]", ""),
    (r"\d{3} \d{3} \d{4}", "gb.nhs"),  # Britain
    (r"\d{17}[\dXx]", "cn.ric"),  # China
    (r"\d\d ?\d{3} ?\d{3} ?\d{3}", "de.idnr"),  # Germany
    (r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", "fr.nir"),  # France
    (r"\d{8}-?[A-Z]", "es.dni"),  # Spain
    (r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),  # foreigners in Spain
    (r"[A-Z]{6}[\dL-NP-V]{2}[A-Z][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", "it.codicefiscale"),
    (r"\d{4}[ -]\d{4}[ -]\d{4}", "in_.aadhaar"),  # India
    (r"[A-Z]{5}\d{4}[A-Z]", "in_.pan"),  # India
    (r"\d{4} \d{4} \d{4}", "jp.in_"),  # Japan
    (r"\d{6}-[1-8]\d{6}", "kr.rrn"),  # Korea
    (r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", "br.cpf"),  # Brazil
    (r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", "mx.curp"),  # Mexico
    (r"\d{11}", "pl.pesel"),  # Poland
    (r"[1-9]\d{10}", "tr.tckimlik"),  # Turkey
    (r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", "be.nn"),  # Belgium
    (r"756\.\d{4}\.\d{4}\.\d\d", "ch.ssn"),  # Switzerland
    (r"\d{6}(?:\d\d)?[-+]\d{4}", "se.personnummer"),  # Sweden
    (r"\d{6} ?\d{5}", "no.fodselsnummer"),  # Norway
    (r"\d{6}-\d{4}", "dk.cpr"),  # Denmark
    (r"\d{6}[-+A-F]\d{3}[0-9A-Y]", "fi.hetu"),  # Finland
    (r"\d{13}", "za.idnr"),  # South Africa
)
NATIONAL_IDS = tuple(
    (re.compile(rf"(?<![\w.,/-])(?<!\d ){form}(?![\w/-]|[., ]\d)", re.ASCII), check)
    for form, check in _FORMS
)


def national_id_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of national ids."""
    for pattern, check in NATIONAL_IDS:
        for found in pattern.finditer(text):
            if _is_valid(found[0], check):
                yield found.span()


def _is_valid(number: str, check: str) -> bool:
    if not check:
        return True
    from chatdesk.services.personalize.examples.id_checks import IS_VALID

    return IS_VALID[check](number)
