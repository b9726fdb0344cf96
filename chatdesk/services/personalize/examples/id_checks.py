"""The checksums of national ids. Imported where a number has the form of one: it takes 4 MB."""

from collections.abc import Callable, Mapping

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

IS_VALID: Mapping[str, Callable[[str], bool]] = {
    "us.ssn": ssn.is_valid,
    "ca.sin": sin.is_valid,
    "gb.nhs": nhs.is_valid,
    "cn.ric": ric.is_valid,
    "de.idnr": idnr.is_valid,
    "fr.nir": nir.is_valid,
    "es.dni": dni.is_valid,
    "es.nie": nie.is_valid,
    "it.codicefiscale": codicefiscale.is_valid,
    "in_.aadhaar": aadhaar.is_valid,
    "in_.pan": pan.is_valid,
    "jp.in_": my_number.is_valid,
    "kr.rrn": rrn.is_valid,
    "br.cpf": cpf.is_valid,
    "mx.curp": curp.is_valid,
    "pl.pesel": pesel.is_valid,
    "tr.tckimlik": tckimlik.is_valid,
    "be.nn": nn.is_valid,
    "ch.ssn": ahv.is_valid,
    "se.personnummer": personnummer.is_valid,
    "no.fodselsnummer": fodselsnummer.is_valid,
    "dk.cpr": cpr.is_valid,
    "fi.hetu": hetu.is_valid,
    "za.idnr": za_idnr.is_valid,
}
