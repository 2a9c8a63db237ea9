"""The drawn network as data for the browser: scenes, films of a search, reels of architectures, comparisons, as JSON.

Places, looks, numbers and words are decided here; the browser only draws them. Everything is read from a space, a
run's state or architectures. What a stranger's file holds that does not fit its space is left out, and never raises.
"""

from explorer.plots.drawn.collapse import collapsed
from explorer.plots.drawn.compare import Difference, compare, differences
from explorer.plots.drawn.film import film
from explorer.plots.drawn.payload import scene_payload
from explorer.plots.drawn.reel import Moment, reel, still

__all__ = [
    "Difference",
    "Moment",
    "collapsed",
    "compare",
    "differences",
    "film",
    "reel",
    "scene_payload",
    "still",
]
