"""The brand as JSON for the widget and as CSS custom properties for the pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .colours import Tones
from .hours import Hours
from .model import Brand


def brand_json(brand: Brand, *, logo: str | None, topics: Sequence[tuple[str, str]], at: datetime) -> dict[str, Any]:
    """What the widget needs. ``topics`` are slugs with their titles; ``at`` is now."""
    return {
        "name": brand.name or None,
        "logo": logo,
        "colours": {"light": _tones_json(brand.light), "dark": _tones_json(brand.dark)} if brand.light and brand.dark else None,
        "greeting": brand.greeting or None,
        "tone": brand.tone,
        "topics": [{"slug": slug, "title": title} for slug, title in topics],
        "email": brand.email or None,
        "hours": hours_json(brand.hours, at),
    }


def hours_json(hours: Hours | None, at: datetime) -> dict[str, Any]:
    """``open`` now, and when somebody is here next: null while somebody is, or if nobody ever comes."""
    if hours is None or hours.is_open(at):
        return {"open": True, "opens_at": None}
    opening = hours.next_opening(at)
    return {"open": False, "opens_at": opening.isoformat(timespec="seconds").replace("+00:00", "Z") if opening else None}


def _tones_json(tones: Tones | None) -> dict[str, str] | None:
    return {"brand": tones.brand, "brand-strong": tones.strong, "brand-soft": tones.soft, "on-brand": tones.on_brand} if tones else None


def brand_css(brand: Brand) -> str:
    """Custom properties that go over those of tokens.css; nothing where the brand has no colours."""
    if not (brand.light and brand.dark):
        return "/* brand.yml names no colours: those of tokens.css stand. */\n"
    light, dark = (f":root,\n:host {{\n{_properties(tones)}}}\n" for tones in (brand.light, brand.dark))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _properties(tones: Tones) -> str:
    return "".join(f"  --td-{name}: {value};\n" for name, value in (_tones_json(tones) or {}).items())
