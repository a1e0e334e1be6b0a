"""The words in which licences are named: Creative Commons' own titles in eleven languages, and what stands around them.

Patterns match whole words of folded text: no case, no accents, one space for any punctuation. What they leave over is
not understood, so a missing word costs a photo and a careless one a promise: a filler must be unable to restrict.
"""

import re
from enum import StrEnum
from typing import Final


class Meaning(StrEnum):
    """What a phrase adds to the licence that a text names."""

    ND = "nd"
    NC = "nc"
    SA = "sa"
    BY = "by"
    ZERO = "zero"
    """Given away: CC0."""
    NOBODYS = "nobodys"
    """In the public domain."""
    VERSION = "version"
    CC = "cc"
    FILLER = "filler"


_NOT = (
    r"(?:no|non|not|sans|pas|sin|sem|nao|senza|niet|geen|nicht|keine?|icke|ej|inte|ingen|ikke|uden|uten|utan|ohne"
    r"|zonder|bez|nie)"
)
_USE = (
    r"(?:d|de|of|for|til|till|use|uses|usage|utilisations?|fins|but|uso|usos|utilizacion|utilizacao|utilizzo|fines|scopi"
    r"|gebruik|nutzung|verwendung|zwecke|anvandning|brug|bruk|uzycie|uzytku|uzytek|purposes?)"
)
_COMMERCIAL = r"(?:com+er[cs][a-z]*|kom+er[csz][a-z]*)"

_PORT = (
    r"(?:am|ar|at|au|az|be|bg|br|ca|ch|cl|cn|co|cr|cz|de|dk|ec|ee|eg|es|fi|fr|ge|gr|gt|hk|hr|hu|ie|igo|il|in|it"
    r"|jp|kr|lu|mk|mt|mx|my|nl|nz|pe|ph|pl|pr|pt|ro|rs|scotland|se|sg|si|th|tw|ug|uk|us|ve|vn|za|france"
    r"|espana|spain|deutschland|germany|osterreich|austria|schweiz|suisse|svizzera|italia|italy|nederland"
    r"|netherlands|belgie|belgique|belgium|brasil|brazil|portugal|mexico|argentina|chile|colombia|sverige"
    r"|sweden|danmark|denmark|norge|norway|polska|poland|suomi|finland|canada|australia|japan|luxembourg)"
)
"""The countries for which Creative Commons wrote versions of their own, by code or, some, by name; `no` says other
things, too."""

PHRASES: Final[dict[Meaning, str]] = {
    Meaning.ND: (
        r"no ?deriv[a-z]*(?: works?)?|(?:pas|sans) (?:de )?(?:modifications?|derives?|d ?oeuvres? derivees?"
        r"|oeuvres? derivees?)|sin ?(?:obras? ?)?deriva[a-z]*|sem ?(?:obras? ?)?deriva[a-z]*|non ?opere ?derivate"
        r"|geen ?afgeleide ?werken|geen ?bewerkingen|keine ?bearbeitung(?:en)?|inga ?bearbetningar"
        r"|ingen ?bearbe[ij]delser?|ingen ?avledede ?verk|bez ?utworow ?zaleznych|nd"
    ),
    Meaning.NC: rf"(?:{_USE} )*{_NOT} ?(?:{_USE} )*{_COMMERCIAL}(?: {_USE})*(?: only)?|nc",
    Meaning.SA: (
        r"share ?alike|partage (?:dans|selon) les memes conditions|partage a l identique"
        r"|partage des conditions initiales a l identique|compartir ?igual|compartilha ?igual|partilha ?igual"
        r"|partilha nos(?: mesmos)? termos(?: da mesma licenca)?|condividi allo stesso modo|gelijk ?delen"
        r"|weitergabe ?unter ?gleichen ?bedingungen|dela ?lika|del ?pa ?samme ?vilkar|deling pa samme vilkar"
        r"|na tych samych warunkach|sa"
    ),
    Meaning.BY: (
        r"attribution|paternite|atribucion|reconocimiento|atribuicao|attribuzione|naamsvermelding|namensnennung"
        r"|erkannande|navngivelse|kreditering|uznanie autorstwa|by"
    ),
    Meaning.ZERO: (
        r"cc ?(?:0|zero)(?: 1 0)?(?: universal)?(?: public ?domain dedication)?"
        r"|public ?domain (?:zero|dedication)(?: 1 0)?|creative ?commons zero(?: v? ?1 0)?(?: universal)?"
        r"|zero 1 0 universal|no rights reserved"
    ),
    Meaning.NOBODYS: (
        r"public ?domain(?: mark)?(?: work)?(?: 1 0)?|pdm?(?: 1 0)?|no known copyright(?: restrictions)?"
        r"|(?:dans le )?domaine public|dominio publico|pubblico dominio|dominio pubblico|gemeinfrei"
        r"|publiek domein|domena publiczna|общественное достояние"
    ),
    Meaning.VERSION: (
        rf"(?:v|ver|version)? ?(?P<major>\d)(?: (?P<minor>\d))?(?: {_PORT}(?! (?:{_COMMERCIAL}|deriv)))?"
    ),
    Meaning.CC: r"creative ?commons|cc",
    # Nothing but the words of licences' titles and of the sentences that Creative Commons proposes around them.
    Meaning.FILLER: (
        r"and|und|et|y|e|en|och|og|i|(?:public )?licen[sc]e|licence publique|licencia(?: publica)?|licenca(?: publica)?"
        r"|licenza(?: pubblica)?|licentie|lizenz|licens|lisens|licencja"
        r"|international|internationale?|internationell|internationaal|internacional|internazionale|internasjonal"
        r"|miedzynarodow[ea]|generic|generique|generica|generico|generell|generisk|allgemein|generiek"
        r"|unported|non transpose|no portada|nao adaptada|nicht portiert|niet geporteerd|ikke portert"
        r"|deed|legal ?code|some rights reserved|int"
        r"|(?:this|the) (?:work|image|photo|photograph|picture|file|dataset) is (?:licen[sc]ed|available)"
        r"|licen[sc]ed|under (?:a|an|the|terms of the)|under|under the terms of the|available under"
        r"|dieses? (?:werk|bild|foto) ist lizenziert unter einer|lizenziert unter(?: einer)?|unter der"
        r"|cette oeuvre est mise a disposition (?:selon|sous) (?:les termes de )?la|sous(?: la)?"
        r"|est[ae] obra esta bajo una|bajo(?: una| la)?"
        r"|est[ae] (?:obra|trabalho) esta licenciad[oa] (?:com|sob) uma|sob(?: a)?"
        r"|quest opera e distribuita con|dit werk valt onder een|onder(?: een)?|detta verk ar licensierat under en"
        r"|dette verket er lisensiert under en|denne ?verket er lisensiert under en|dette vaerk er licenseret under en"
        r"|ten utwor jest dostepny na licencji|na licencji"
    ),
}  # fmt: skip
"""By meaning; of two that match at one place the earlier counts."""

PHRASE: Final = re.compile(
    "|".join(rf"(?P<{meaning}>(?<!\S)(?:{pattern})(?= |$))" for meaning, pattern in PHRASES.items())
)

RESERVED: Final = re.compile(
    r"all rights reserved|alle rechte (?:sind |bleiben )?vorbehalten|alle rechten (?:zijn )?voorbehouden"
    r"|tous (?:les )?droits (?:sont )?reserves|todos los derechos (?:estan )?reservados"
    r"|reservados todos los derechos|todos os direitos (?:sao )?reservados|tutti i diritti (?:sono )?riservati"
    r"|tots els drets reservats|(?:wszelkie|wszystkie) prawa (?:sa )?zastrzezone|alla rattigheter (?:ar )?\w+"
    r"|alle rettigheter (?:er )?\w+|alle rettigheder (?:er )?\w+|kaikki oikeudet pidatetaan"
    r"|vsechna prava vyhrazena|minden jog fenntartva|toate drepturile rezervate|tum haklari saklidir"
    r"|все права (?:защищены|сохранены)|усі права захищено|版权所有|版權所有|保留所有权利|保留所有權利|全著作権所有"
)
"""All rights reserved; whatever stands around it."""
CLAIMED: Final = re.compile(r"copyright|©|\(c\)|\barr\b|^c$")
"""Somebody's property, where nothing else is said."""
