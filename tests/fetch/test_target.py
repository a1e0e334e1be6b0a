import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.fetch.target import read_target


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://example.org/1.jpg", "http://example.org:80"),
        ("HTTPS://Example.ORG:443/1.jpg", "https://example.org:443"),
        ("http://example.org.:8080", "http://example.org:8080"),
        ("http://ada:secret@example.org/1.jpg", "http://example.org:80"),
        ("http://example.org@127.0.0.1/1.jpg", "http://127.0.0.1:80"),
        ("http://127.0.0.1/@example.org", "http://127.0.0.1:80"),
        ("http://127.0.0.1?@example.org/", "http://127.0.0.1:80"),
        ("http://127.0.0.1#@example.org/", "http://127.0.0.1:80"),
        ("http://bücher.example/1.jpg", "http://xn--bcher-kva.example:80"),
        ("http://写真。jp/1.jpg", "http://xn--g7qs82g.jp:80"),
        ("http://a_b.example/1.jpg", "http://a_b.example:80"),
        ("http://[::1]:81/1.jpg", "http://::1:81"),
        ("http://[::ffff:127.0.0.1]/1.jpg", "http://::ffff:7f00:1:80"),
        ("http://[fe80::1%25eth0]/1.jpg", "http://fe80::1:80"),
        # Digits and full stops that are one of ours to a resolver.
        ("http://127.0.0.1/1.jpg", "http://127.0.0.1:80"),
        ("http://１２７.０.０.１/1.jpg", "http://127.0.0.1:80"),
        ("http://①②⑦.⓪.⓪.①/1.jpg", "http://127.0.0.1:80"),
        ("http://127。0。0。1/1.jpg", "http://127.0.0.1:80"),
        ("http://127．0｡0。1/1.jpg", "http://127.0.0.1:80"),
        ("http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/1.jpg", "http://127.0.0.1:80"),
        ("http://¹²⁷.⁰.⁰.₁/1.jpg", "http://127.0.0.1:80"),
        ("http://ｌｏｃａｌｈｏｓｔ/1.jpg", "http://localhost:80"),
        ("http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/1.jpg", "http://localhost:80"),
    ],
)
def test_every_spelling_of_a_host_is_read_as_one(url: str, origin: str) -> None:
    target = read_target(url)
    assert target.origin == origin
    assert target.url.raw_host == target.host


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///1.jpg",
        "http:/example.org/1.jpg",
        "http://[broken/1.jpg",
        "http://[::1",
        "http://[::1]x/1.jpg",
        "http://[127.0.0.1]/1.jpg",
        "http://[@a/1.jpg",
        "http://a]:b@c/1.jpg",
        "http://[a]@[::1]/1.jpg",
        "http://host:port/1.jpg",
        "http://host:８０/1.jpg",
        "http://host:65536/1.jpg",
        f"http://host:{'9' * 5000}/1.jpg",
        "http://host:1:2/1.jpg",
        "http://a..b/1.jpg",
        "http://a b/1.jpg",
        "http://a\n/1.jpg",
        "http://a\\@b/1.jpg",
        "http://a\\b/1.jpg",
        "http://127%2e0.0.1/1.jpg",
        "http://127.1/1.jpg",
        "http://2130706433/1.jpg",
        "http://0x7f.0.0.1/1.jpg",
        "http://0x7f000001/1.jpg",
        "http://0177.0.0.1/1.jpg",
        "http://127.0.0.1.2/1.jpg",
        "http://\ud800/1.jpg",
        f"http://{'a.' * 200}org/1.jpg",
        f"http://{'a' * 64}.org/1.jpg",
        f"http://{'ü' * 100_000}/1.jpg",
        "ftp://example.org/1.jpg",
        "1.jpg",
    ],
)
def test_what_no_request_can_be_made_of_is_an_error_of_one_short_line(url: str) -> None:
    with pytest.raises(ValueError, match=r"\A.{1,1500}\Z"):
        read_target(url)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a.jpg#top", "/a.jpg"),
        ("/a%2Fb%28%29%27%7e%7E.jpg?type=image%2Fjpeg&k=a%40b", "/a%2Fb%28%29%27%7e%7E.jpg?type=image%2Fjpeg&k=a%40b"),
        ("/a'(1)!*~,;:@&=+$.jpg", "/a'(1)!*~,;:@&=+$.jpg"),
        ("/http://h//x.jpg", "/http://h//x.jpg"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/100%.jpg", "/100%.jpg"),
        ("/IMG  1.jpg", "/IMG%20%201.jpg"),
        ("/e\u0301.jpg", "/e%CC%81.jpg"),
        ("/é.jpg", "/%C3%A9.jpg"),
        ("/a\r\nHost: b", "/a%0D%0AHost:%20b"),
        ("/\udce9.jpg", "/%E9.jpg"),
        ("/{a}|<b>\\^`", "/{a}|<b>\\^`"),
    ],
)
def test_paths_and_queries_are_asked_for_as_written(written: str, asked: str) -> None:
    target = read_target(f"http://example.org{written}")
    assert target.path == asked
    assert target.url.raw_path_qs == asked
    assert str(target.url) == f"http://example.org{asked}"


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("https://b/%28x%29?s=%2F", "https://b/%28x%29?s=%2F"),
        ("ftp://b/x", "ftp://b/x"),
        ("//b/x%27", "http://b/x%27"),
        ("/x//y/../z?s=%2F", "http://u:p@a:81/x//y/../z?s=%2F"),
        ("?s=1", "http://u:p@a:81/one//two/1.jpg?s=1"),
        ("", "http://u:p@a:81/one//two/1.jpg?q"),
        ("#top", "http://u:p@a:81/one//two/1.jpg?q"),
        ("2.jpg?s=1", "http://u:p@a:81/one//two/2.jpg?s=1"),
        ("./2.jpg", "http://u:p@a:81/one//two/2.jpg"),
        ("../../2.jpg", "http://u:p@a:81/one/2.jpg"),
        ("../../../../../2.jpg", "http://u:p@a:81/2.jpg"),
        ("..", "http://u:p@a:81/one//"),
        (".", "http://u:p@a:81/one//two/"),
    ],
)
def test_redirects_lead_where_they_say(reference: str, url: str) -> None:
    target = read_target("http://u:p@a:81/one//two/1.jpg?q")
    assert target.locate(reference) == url


SIGNS = st.sampled_from(
    [*"aZ19.:/?#@[]%\\-_ \t\0&=", "①", "。", "é", "e\u0301", "\u202e", "\udce9", "127", "localhost", "//"]
)


@given(st.lists(SIGNS, max_size=12).map("".join))
def test_the_client_sees_what_was_checked(rest: str) -> None:
    try:
        target = read_target(f"http://{rest}")
    except ValueError:
        return
    assert target.url.raw_host == target.host
    assert target.url.port == target.port
    assert re.fullmatch("[!-~]+", str(target.url))
    assert target.url.raw_path_qs == (target.path.removesuffix("?") if target.path.count("?") == 1 else target.path)
    assert read_target(str(target.url)) == target
