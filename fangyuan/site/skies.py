"""The skies of the duties' weather, drawn by the sprite; each says its name to a screen reader."""

from __future__ import annotations

import functools

from django.templatetags.static import static
from django.utils.safestring import SafeString

from fangyuan.engine import weather

SAID = {name: (label, about) for name, label, about, _ in weather.SKIES}


@functools.lru_cache(maxsize=16)
def sky(name: str) -> SafeString:
    """The picture of a sky."""
    href = f"{static('fy/icons.svg')}#wx-{name}"
    return SafeString(
        f'<svg class="i wx-i {name}" role="img" aria-label="{SAID[name][0]}">'
        f'<use href="{href}"/></svg>'
    )
