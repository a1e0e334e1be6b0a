"""The table below is the specification of what a source's words mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.licences import LICENCES, LicenceKind, allows_any_use, licence_kind, normalise_licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        # addresses
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/de/legalcode", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/licenses/by-nd/2.0", "CC-BY-ND-2.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        ("http://rightsstatements.org/vocab/InC/1.0/", "all-rights-reserved"),
        # SPDX identifiers and portals' codes
        ("CC-BY-SA-3.0-DE", "CC-BY-SA-3.0"),
        ("CC-BY-2.5-AU", "CC-BY-2.5"),
        ("cc-by-nc", "CC-BY-NC"),
        ("cc0", "CC0-1.0"),
        ("CC0_1_0", "CC0-1.0"),
        ("CC_BY_NC_4_0", "CC-BY-NC-4.0"),
        ("CC-BY4.0", "CC-BY-4.0"),
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
        ("CC BY 4.0 by John Smith", "CC-BY-4.0"),
        ("Creative Commons — Attribution 4.0", "CC-BY-4.0"),
        ("Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("Attribution-NonCommercial-NoDerivs 2.0 Generic", "CC-BY-NC-ND-2.0"),
        ("Creative Commons Attribution Share Alike 3.0 Unported", "CC-BY-SA-3.0"),
        ("Namensnennung 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("(c) Jane, some rights reserved (CC BY-NC)", "CC-BY-NC"),
        ("(c) Jane, no rights reserved (CC0)", "CC0-1.0"),
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
    ],
)
def test_what_sources_write(text: str | None, licence: str) -> None:
    assert normalise_licence(text) == licence


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


@given(st.text())
def test_any_text_has_a_place_on_the_list(text: str) -> None:
    assert normalise_licence(text) in LICENCES


@given(st.text(), st.sampled_from(["all rights reserved", "Alle Rechte vorbehalten"]))
def test_nothing_lifts_a_reservation(text: str, reservation: str) -> None:
    assert not allows_any_use(normalise_licence(f"{text} {reservation}"))
