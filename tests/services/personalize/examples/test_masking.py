import subprocess
import sys

import pytest

from chatdesk.core.personalization import FindingKind
from chatdesk.services.personalize.examples.id_checks import IS_VALID
from chatdesk.services.personalize.examples.masking import find_personal_data
from chatdesk.services.personalize.examples.national_ids import NATIONAL_IDS

KEY, PASSWORD, CARD, IBAN, EMAIL, PHONE, NATIONAL_ID = (
    FindingKind.KEY,
    FindingKind.PASSWORD,
    FindingKind.CARD,
    FindingKind.IBAN,
    FindingKind.EMAIL,
    FindingKind.PHONE,
    FindingKind.NATIONAL_ID,
)
GITHUB = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nabc+/=\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("use AKIAIOSFODNN7EXAMPLE.", KEY, "AKIAIOSFODNN7EXAMPLE"),
        (
            "密钥是ghp_16C7e42F292c6912E7710c838347Ae178B4a。",
            KEY,
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        ),
        ("export X=sk-proj-a1B2c3D4e5F6g7H8i9J0", KEY, "sk-proj-a1B2c3D4e5F6g7H8i9J0"),
        ("AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", KEY, "AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", KEY, "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        (f"Bearer: {JWT}", KEY, JWT),
        (f"my key:\n{PEM}\nkeep it", KEY, PEM),
        ("api_key = 'a9f8e7d6c5b4a3f2e1d0'", KEY, "a9f8e7d6c5b4a3f2e1d0"),
        ("Authorization: Bearer abcdef1234567890", KEY, "abcdef1234567890"),
        ("postgres://anna:s3cret@db.local/x", PASSWORD, "s3cret"),
        ("password=Sommer2024!", PASSWORD, "Sommer2024!"),
        ("Mein Passwort ist Sommer2024.", PASSWORD, "Sommer2024"),
        ('{"password": "tr0ub4dor&3"}', PASSWORD, "tr0ub4dor&3"),
        ("密码：abc12345，谢谢", PASSWORD, "abc12345"),
        ("DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX", IBAN, "DE89 3704 0044 0532 0130 00"),
        ("IBAN GB82WEST12345698765432.", IBAN, "GB82WEST12345698765432"),
        ("4111 1111 1111 1111, 12/26", CARD, "4111 1111 1111 1111"),
        ("378282246310005", CARD, "378282246310005"),
        ("write to anna.meyer+x@web.de!", EMAIL, "anna.meyer+x@web.de"),
        ("邮箱是zhang@qq.com谢谢", EMAIL, "zhang@qq.com"),
        ("müller@bücher.de", EMAIL, "müller@bücher.de"),
        ("call +1 415-555-2671 now", PHONE, "+1 415-555-2671"),
        ("(415) 555-2671", PHONE, "(415) 555-2671"),
        ("Handy 01701234567", PHONE, "01701234567"),
        ("0170 1234567", PHONE, "0170 1234567"),
        ("06 12 34 56 78", PHONE, "06 12 34 56 78"),
        ("我的手机号是13812345678，谢谢", PHONE, "13812345678"),
        ("SSN 123-45-6789", NATIONAL_ID, "123-45-6789"),
        ("身份证11010519491231002X", NATIONAL_ID, "11010519491231002X"),
        ("Steuer-ID 86 095 742 719", NATIONAL_ID, "86 095 742 719"),
        ("2 55 08 14 168 025 38", NATIONAL_ID, "2 55 08 14 168 025 38"),
        ("DNI 12345678Z", NATIONAL_ID, "12345678Z"),
        ("RSSMRA85T10A562S", NATIONAL_ID, "RSSMRA85T10A562S"),
        ("NI number AB 12 34 56 C", NATIONAL_ID, "AB 12 34 56 C"),
        ("2341 2341 2346", NATIONAL_ID, "2341 2341 2346"),
        ("390.533.447-05", NATIONAL_ID, "390.533.447-05"),
        ("756.9217.0769.85", NATIONAL_ID, "756.9217.0769.85"),
    ],
)
def test_it_finds(text: str, kind: FindingKind, value: str) -> None:
    assert find_personal_data(text) == ((kind, value),)


@pytest.mark.parametrize(
    "text",
    [
        "In 1984 it cost 1,299.99 EUR, or 12 000 USD; 83,200,000 people (2021).",
        "ISBN 978-3-16-148410-0 and ISBN 0-306-40615-2, ISSN 2049-3630, EAN 4006381333931",
        "Python 3.11.7 on Windows 10.0.19041.1234, at 192.168.178.20 and 2001:0db8:85a3::7334",
        "2024-01-15 12:30:45, 12.03.2024, 1700000000, 20240115123456, 2019-2024",
        "MAX = 4294967295; 0x7fffffff == 2147483647; -9223372036854775808; 0.1234567890123",
        "pi is 3.14159265358979, c is 299 792 458 m/s, h is 6.62607015e-34",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, 550e8400-e29b-41d4-a716-446655440000",
        "password = os.environ['PW1'], password: str = '', password=password, token: str",
        "Your password must have 12 characters. Passwort vergessen? The password is required.",
        "git@github.com:user/repo.git and ssh://git@github.com/user/repo, @decorator, a @ b.T",
        "https://user:password@localhost and https://{user}:{password}@{host}",
        "DE89 3704 0044 0532 0130 01 and 4111 1111 1111 1112 and 11010519491231002Y are wrong",
        "sk-learn is a library; the bearer of bad news; key-value; the secret of the token is",
        "# Title\n\n| a | 1 | 2 |\n|---|---|---|\n| b | 100 | 2000 |\n\n1. one\n2. two\n10. ten",
        "Room 101, page 42, DOI 10.1000/182, arXiv:2106.09685, RFC 5322, § 823 BGB, A4 210 x 297",
        "for i in range(10): print(f'{i:>10}', 10 ** 9 + 7, [1, 0, 0, 1], #FF00AA)",
        "5 3 0 | 0 7 0 | 0 0 0\n6 0 0 | 1 9 5 | 0 0 0",
    ],
)
def test_ordinary_texts_hold_no_secrets(text: str) -> None:
    assert find_personal_data(text) == ()


def test_values_come_once_and_in_their_order() -> None:
    text = "b@web.de wrote to a@web.de and b@web.de, from +49 170 1234567"
    assert find_personal_data(text) == (
        (EMAIL, "b@web.de"),
        (EMAIL, "a@web.de"),
        (PHONE, "+49 170 1234567"),
    )


def test_the_detectors_are_not_read_before_they_are_needed() -> None:
    code = (
        "import sys\n"
        "from chatdesk.services.personalize.examples import preview\n"
        "from chatdesk.services.personalize.examples.masking import find_personal_data\n"
        "assert find_personal_data('In 1612 it cost 3.50, see page 12 of 30.') == ()\n"
        "sys.exit(any(name in sys.modules for name in ('stdnum', 'phonenumbers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_every_form_of_a_national_id_has_its_check() -> None:
    assert {check for _, check in NATIONAL_IDS if check} == set(IS_VALID)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["!", "a", "1 ", "a@", "a.", "-----BEGIN PRIVATE KEY-----", "://a:"]
)
def test_no_text_takes_for_ever(piece: str) -> None:
    find_personal_data(piece * (200_000 // len(piece)))  # must end within the time limit of a test
