"""What other rooms may take from `explorer.hyper`."""

from __future__ import annotations

from explorer import hyper


def test_every_exported_name_is_there_and_in_order() -> None:
    assert (
        sorted(hyper.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
        == hyper.__all__
    )
    assert all(hasattr(hyper, name) for name in hyper.__all__)
