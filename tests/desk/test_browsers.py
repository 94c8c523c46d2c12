"""Browsers are named as their owners would name them."""

from __future__ import annotations

import pytest

from desk.browsers import recognise

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name", "system"),
    [
        (CHROME, "Chrome", "Linux"),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64") + " Edg/140.0.0.0", "Edge", "Windows"),
        (CHROME.replace("X11; Linux x86_64", "X11; CrOS x86_64 14541.0.0"), "Chrome", "ChromeOS"),
        (CHROME + " OPR/110.0", "Opera", "Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox", "Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari", "macOS"),
        (IPHONE + " Version/18.0 Mobile/15E148 Safari/604.1", "Safari", "iPhone"),
        (IPHONE + " CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome", "iPhone"),
        (IPHONE + " FxiOS/143.0 Mobile/15E148 Safari/605.1.15", "Firefox", "iPhone"),
        (ANDROID + " SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet", "Android"),
        ("curl/8.5.0", None, None),
        ("", None, None),
        ("<script>alert(1)</script>", None, None),
    ],
)
def test_a_browser_is_recognised(user_agent: str, name: str | None, system: str | None) -> None:
    """Nearly all call themselves by several names; what is not known stays nameless, and nothing of it is kept."""
    browser = recognise(user_agent)
    assert (browser.name, browser.system) == (name, system)
