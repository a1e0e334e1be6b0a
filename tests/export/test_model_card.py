"""Other people's words stay in their cell of the card."""

import pytest

from fieldguide.export.model_card import _cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("tfjs_node", "tfjs_node"),
        ("a | b\nc", r"a \| b c"),
        ("<b>[x](y)", r"\<b\>\[x\](y)"),
        ("$x$ ~~y~~", r"\$x\$ \~\~y\~\~"),
        ("\x1b[31m\u202e", r"\\x1b\[31m\\u202e"),
    ],
)
def test_a_cell_is_harmless(text: str, cell: str) -> None:
    assert _cell(text) == cell
