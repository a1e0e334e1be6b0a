"""The table below is the specification of what a source's words mean."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fieldguide.catalogue.licence_words import PHRASE
from fieldguide.catalogue.licences import (
    LICENCES,
    LicenceKind,
    allows_any_use,
    licence_kind,
    needs_credit,
    normalise_licence,
)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        # addresses
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/de/legalcode", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/licenses/by-nd/2.0", "CC-BY-ND-2.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        ("https://creativecommons.org/licenses/by-nc/4.0/deed.fr", "CC-BY-NC-4.0"),
        ("https://creativecommons.org/licenses/by-sa/2.1/jp/legalcode#s2", "CC-BY-SA-2.1"),
        ("creativecommons.org/licenses/by/4.0/?ref=chooser-v1", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nd/3.0/br/deed.pt_BR.", "CC-BY-ND-3.0"),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "CC-BY-3.0"),
        ("https://creativecommons.org/licenses/by/3.0/no/deed.no", "CC-BY-3.0"),
        ("https://creativecommons.org/licenses/by/4.0/noncommercial", "unknown"),
        ("https://creativecommons.org/licenses/sampling+/1.0/", "unknown"),
        ("https://example.org/licenses/by/4.0/", "unknown"),
        ("http://rightsstatements.org/vocab/InC/1.0/", "all-rights-reserved"),
        ("http://rightsstatements.org/vocab/NKC/1.0/", "PDM-1.0"),
        ("http://rightsstatements.org/vocab/NoC-NC/1.0/", "unknown"),
        # SPDX identifiers and portals' codes
        ("CC-BY-SA-3.0-DE", "CC-BY-SA-3.0"),
        ("CC-BY-2.5-AU", "CC-BY-2.5"),
        ("cc-by-nc", "CC-BY-NC"),
        ("cc0", "CC0-1.0"),
        ("CC0_1_0", "CC0-1.0"),
        ("CC_BY_NC_4_0", "CC-BY-NC-4.0"),
        ("CC-BY4.0", "CC-BY-4.0"),
        ("CC-BY-NC4.0", "CC-BY-NC-4.0"),
        ("ccbyncsa", "CC-BY-NC-SA"),
        ("by-nc-nd", "CC-BY-NC-ND"),
        ("pd", "PDM-1.0"),
        ("C", "all-rights-reserved"),
        ("UNSPECIFIED", "unknown"),
        ("MIT", "MIT"),
        ("MIT License", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("MIT, all rights reserved", "all-rights-reserved"),
        ("photo by MIT", "unknown"),
        # sentences
        ("CC BY 4", "CC-BY-4.0"),
        ("CC BY-SA 3.0", "CC-BY-SA-3.0"),
        ("CC BY‑NC 4.0", "CC-BY-NC-4.0"),  # a non-breaking hyphen
        ("CC-BY-3.0-NZ", "CC-BY-3.0"),
        ("Creative Commons — Attribution 4.0", "CC-BY-4.0"),
        ("Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("Attribution-NonCommercial-NoDerivs 2.0 Generic", "CC-BY-NC-ND-2.0"),
        ("Creative Commons Attribution Share Alike 3.0 Unported", "CC-BY-SA-3.0"),
        ("Namensnennung 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("(c) Jane, some rights reserved (CC BY-NC)", "CC-BY-NC"),
        ("(c) Jane de Vries, some rights reserved (CC BY), uploaded by J. de Vries", "CC-BY"),
        ("(c) nothing commercial, no commercial use, some rights reserved (CC BY)", "unknown"),
        ("(c) no commercial use, some rights reserved (CC BY)", "unknown"),
        ("(c) Jane, no rights reserved (CC0)", "CC0-1.0"),
        ("Creative Commons CC0 1.0 Universal Public Domain Dedication", "CC0-1.0"),
        ("This work is licensed under a Creative Commons Attribution 4.0 International License.", "CC-BY-4.0"),
        ("CC BY-NC 4.0 Deed | Attribution-NonCommercial 4.0 International | Creative Commons", "CC-BY-NC-4.0"),
        ("No known copyright restrictions", "PDM-1.0"),
        ("Public Domain", "PDM-1.0"),
        ("dominio público", "PDM-1.0"),
        ("© Jane Doe", "all-rights-reserved"),
        ("© Jane Doe, all rights reserved", "all-rights-reserved"),
        ("Alle Rechte vorbehalten", "all-rights-reserved"),
        ("TOUS DROITS RÉSERVÉS", "all-rights-reserved"),
        ("Todos los derechos reservados", "all-rights-reserved"),
        ("Kaikki oikeudet pidätetään", "all-rights-reserved"),
        ("Все права защищены", "all-rights-reserved"),
        ("版权所有", "all-rights-reserved"),
        # of two, the one that allows least
        ("CC BY-NC 4.0, CC BY 4.0", "CC-BY-NC-4.0"),
        ("CC BY 4.0, all rights reserved", "all-rights-reserved"),
        # any doubt
        (None, "unknown"),
        ("  ", "unknown"),
        ("see website", "unknown"),
        ("photo by me", "unknown"),
        ("Attribution", "unknown"),
        ("not CC BY", "unknown"),
        ("CC BY except the logo", "unknown"),
        ("CC BY 9.0", "unknown"),
        ("some rights reserved", "unknown"),
        ("CC BY 4.0?", "unknown"),
        ("CC BY 4.0 *", "unknown"),
        ("CC BY 4.0 \N{NO ENTRY SIGN}", "unknown"),
        ("CC BY 4.0 in Germany", "unknown"),
        ("CC BY 4.0 by permission only", "unknown"),
        ("CC BY 4.0 by John Smith", "unknown"),  # nor "by Request Only"
        ("CC BY 4.0 - no", "unknown"),
        ("CC0, no commercial use", "unknown"),
        ("NonCommercial, public domain", "unknown"),
        ("Public domain in the USA", "unknown"),
        ("© Jane Doe, CC BY 4.0", "unknown"),
        ("CC BY\u200b-\u200bNC", "CC-BY-NC"),
        ("CC BY 4.0 " * 200, "unknown"),
    ],
)
def test_what_sources_write(text: str | None, licence: str) -> None:
    assert normalise_licence(text) == licence


@pytest.mark.parametrize(
    ("by", "nc", "nd", "sa"),
    [
        ("Attribution", "NonCommercial", "NoDerivatives", "ShareAlike"),
        ("Attribution", "Noncommercial", "No Derivative Works", "Share Alike"),
        ("Attribution", "Pas d’Utilisation Commerciale", "Pas de Modification", "Partage dans les Mêmes Conditions"),
        ("Paternité", "Pas d'Utilisation Commerciale", "Pas d'œuvre dérivée", "Partage à l'Identique"),
        ("Atribución", "NoComercial", "SinDerivadas", "CompartirIgual"),
        ("Reconocimiento", "Sin fines comerciales", "Sin obras derivadas", "Compartir Igual"),
        ("Reconocimiento", "NoComercial", "SinObraDerivada", "CompartirIgual"),
        ("Atribuição", "NãoComercial", "SemDerivações", "CompartilhaIgual"),
        ("Attribuzione", "Non commerciale", "Non opere derivate", "Condividi allo stesso modo"),
        ("Naamsvermelding", "NietCommercieel", "GeenAfgeleideWerken", "GelijkDelen"),
        ("Namensnennung", "Nicht-kommerziell", "Keine Bearbeitungen", "Weitergabe unter gleichen Bedingungen"),
        ("Namensnennung", "Keine kommerzielle Nutzung", "Keine Bearbeitung", "Weitergabe unter gleichen Bedingungen"),
        ("Erkännande", "IckeKommersiell", "IngaBearbetningar", "DelaLika"),
        ("Navngivelse", "IkkeKommerciel", "IngenBearbejdelser", "DelPåSammeVilkår"),
        ("Navngivelse", "IkkeKommersiell", "IngenBearbeidelse", "Del på samme vilkår"),
        ("Uznanie autorstwa", "Użycie niekomercyjne", "Bez utworów zależnych", "Na tych samych warunkach"),
    ],
)
def test_creative_commons_own_titles(by: str, nc: str, nd: str, sa: str) -> None:
    for clauses, family in (
        ([by], "CC-BY"),
        ([by, sa], "CC-BY-SA"),
        ([by, nc], "CC-BY-NC"),
        ([by, nd], "CC-BY-ND"),
        ([by, nc, sa], "CC-BY-NC-SA"),
        ([by, nc, nd], "CC-BY-NC-ND"),
    ):
        assert normalise_licence(f"Creative Commons {'-'.join(clauses)} 3.0") == f"{family}-3.0"
        assert normalise_licence(f"{' - '.join(clauses).upper()}. (Creative Commons)") == family


@pytest.mark.parametrize(
    "words",
    [
        "non-commercial use only",
        "no commercial use",
        "for research and education only",
        "commercial use forbidden",
        "derivative works prohibited",
        "contact the author for commercial use",
        "ask me",
        "sin fines comerciales",
        "sin obras derivadas",
        "uso no comercial",
        "prohibido su uso comercial",
        "usage commercial interdit",
        "sans modification",
        "uniquement pour la recherche",
        "sem fins lucrativos",
        "solo uso non commerciale",
        "niet voor commercieel gebruik",
        "geen bewerkingen",
        "keine kommerzielle Nutzung",
        "nur für Forschung",
        "ej kommersiellt bruk",
        "ikke til kommercielt brug",
        "bez użytku komercyjnego",
        "только для некоммерческого использования",
        "禁止商用",
    ],
)
@pytest.mark.parametrize("code", ["CC BY 4.0", "CC0", "Creative Commons Attribution 4.0 International", "MIT"])
def test_words_behind_a_code_are_no_promise(code: str, words: str) -> None:
    for text in (f"{code}, {words}", f"{code} ({words})", f"{words} - {code}", f"{code} {words.upper()}"):
        assert not allows_any_use(normalise_licence(text))


@given(
    st.lists(st.from_regex(r"q[a-z]{2,9}", fullmatch=True), min_size=1),
    st.sampled_from(["CC BY 4.0", "CC0 1.0", "public domain"]),
)
def test_what_is_not_understood_makes_the_whole_unknown(words: list[str], code: str) -> None:
    assume(not any(PHRASE.match(word) for word in words))
    assert normalise_licence(f"{code} {' '.join(words)}") == "unknown"
    assert normalise_licence(f"{' '.join(words)}: {code}") == "unknown"


@pytest.mark.parametrize("licence", LICENCES)
def test_every_licence_is_its_own_normal_form(licence: str) -> None:
    assert normalise_licence(licence) == licence
    assert normalise_licence(licence.upper().replace("-", "_").replace(".", "_")) == licence


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("CC0-1.0", LicenceKind.PERMISSIVE),
        ("PDM-1.0", LicenceKind.PERMISSIVE),
        ("CC-BY-4.0", LicenceKind.PERMISSIVE),
        ("CC-BY-SA", LicenceKind.PERMISSIVE),
        ("CC-BY-NC-4.0", LicenceKind.NON_COMMERCIAL),
        ("CC-BY-NC-SA-3.0", LicenceKind.NON_COMMERCIAL),
        ("CC-BY-ND-2.0", LicenceKind.RESTRICTIVE),
        ("CC-BY-NC-ND", LicenceKind.RESTRICTIVE),
        ("all-rights-reserved", LicenceKind.RESTRICTIVE),
        ("unknown", LicenceKind.UNKNOWN),
    ],
)
def test_what_a_licence_allows(licence: str, kind: LicenceKind) -> None:
    assert licence_kind(licence) is kind
    assert allows_any_use(licence) is (kind is LicenceKind.PERMISSIVE)


@pytest.mark.parametrize(
    ("licence", "needed"), [("CC0-1.0", False), ("PDM-1.0", False), ("CC-BY", True), ("MIT", True)]
)
def test_who_must_be_named(licence: str, needed: bool) -> None:
    assert needs_credit(licence) is needed


@given(st.text())
def test_any_text_has_a_place_on_the_list(text: str) -> None:
    assert normalise_licence(text) in LICENCES


@given(st.text(), st.sampled_from(["all rights reserved", "Alle Rechte vorbehalten"]))
def test_nothing_lifts_a_reservation(text: str, reservation: str) -> None:
    assert not allows_any_use(normalise_licence(f"{text} {reservation}"))
