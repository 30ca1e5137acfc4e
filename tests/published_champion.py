"""The swing-up champion published with weight agnostic networks (Gaier & Ha 2019; google/brain-tokyo-workshop).

Its 52 connections and 29 activations are facts of that publication; weights play no part.
"""

from evo.networks import Networks, pack

EDGES = (
    "0,10 1,6 1,7 1,12 2,6 2,11 3,8 3,10 3,21 4,9 4,12 4,26 5,12 6,28 7,28 8,25 9,28 10,12 11,12 12,13 12,14 12,15 "
    "12,16 12,19 12,20 12,25 12,26 12,28 13,17 13,18 13,21 13,24 13,26 14,19 15,26 16,20 17,24 18,21 19,23 19,25 "
    "20,22 20,23 20,24 20,26 21,24 22,24 23,25 24,26 24,27 25,28 26,28 27,28"
)
ACTIVATIONS = [1, 1, 1, 1, 1, 1, 7, 7, 5, 1, 5, 5, 4, 1, 7, 3, 9, 1, 3, 7, 9, 5, 4, 3, 9, 7, 1, 7, 1]


def published_champion() -> Networks:
    pairs = [tuple(int(end) for end in edge.split(",")) for edge in EDGES.split()]
    return pack(5, 1, [(ACTIVATIONS, [(source, target, 1.0) for source, target in pairs])])
