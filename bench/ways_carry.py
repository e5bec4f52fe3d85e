#!/usr/bin/env python3
"""How much of a traffic matrix does routing on line carry, against what is possible at all?

ways_carry.py FILE.vne|N [seed=1] [load=1] [metric=load]
    The network is FILE's substrate (see embedding.py), or drawn with N routers. The matrix is drawn by the gravity model; at load 1 it is as
    large as can be carried whole when every demand may be split over any number of ways. The
    demands come one by one in random order and are never split or moved (build/bench/ways carry).
    Prints what is carried, and the bound: the most that the linear program (clp) carries, split.
"""
import math
import os
import random
import subprocess
import sys
import tempfile

WAYS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "bench", "ways")
UNIT = 1000  # of rates, so that they are whole numbers


def draw(n, dice):
    """The Gabriel graph of n points in a square, as backbones are: two are joined when no third one
    lies in the circle between them. Connected."""
    at = [(dice.random(), dice.random()) for _ in range(n)]
    links = []
    for a in range(n):
        for b in range(a):
            middle = [(x + y) / 2 for x, y in zip(at[a], at[b])]
            far = math.dist(at[a], at[b])
            if all(math.dist(at[c], middle) >= far / 2 for c in range(n) if c not in (a, b)):
                links.append((a, b, dice.randint(50, 100) * UNIT, int(far * 10000) + 1))
    return n, links


def read(path, dice):
    rows = iter([line.split() for line in open(path) if line.strip()])
    next(rows)
    n, m = map(int, next(rows)[1:])
    for _ in range(n):
        next(rows)
    links = [next(rows)[1:] for _ in range(m)]
    return n, [(int(a), int(b), int(float(rate) * UNIT), dice.randint(500, 5000)) for a, b, rate in links]


def solve(n, links, demands, is_scaled):
    """The most that can be carried; is_scaled: the largest common share of all demands."""
    rows = {}

    def add(row, factor, column):
        rows.setdefault(row, []).append(f"{'+' if factor >= 0 else '-'} {abs(factor):g} {column}")

    sources = sorted({a for a, _, _ in demands})
    for s in sources:
        for i, (a, b, _, _) in enumerate(links):
            for name, tail, head in ((f"f{s}_{i}", a, b), (f"r{s}_{i}", b, a)):
                if head == s:
                    continue
                add(f"c{i}", 1, name)
                add(f"v{s}_{head}", 1, name)
                if tail != s:
                    add(f"v{s}_{tail}", -1, name)
    for k, (a, b, rate) in enumerate(demands):
        add(f"v{a}_{b}", -(rate if is_scaled else 1), "x" if is_scaled else f"x{k}")
    text = ["max", "o: x" if is_scaled else "o: " + " + ".join(f"x{k}" for k in range(len(demands))), "st"]
    for row, terms in rows.items():
        bound = f"<= {links[int(row[1:])][2]}" if row[0] == "c" else "= 0"
        text.append(f"{row}: " + " ".join(terms) + " " + bound)
    text.append("bounds")
    if not is_scaled:
        text += [f"x{k} <= {rate}" for k, (_, _, rate) in enumerate(demands)]
    text.append("end")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "flow.lp")
        with open(path, "w") as out:
            out.write("\n".join(text) + "\n")
        said = subprocess.run(["clp", path, "-primalsimplex"], capture_output=True, text=True).stdout
    value = [line.split() for line in said.splitlines() if line.startswith("Optimal objective")]
    if not value:
        sys.exit("clp has found no optimum:\n" + said[-2000:])
    return abs(float(value[0][2]))


def main():
    options = dict(word.split("=") for word in sys.argv[2:])
    dice = random.Random(int(options.get("seed", 1)))
    n, links = draw(int(sys.argv[1]), dice) if sys.argv[1].isdigit() else read(sys.argv[1], dice)
    mass = [dice.lognormvariate(0, 0.8) for _ in range(n)]
    pairs = [(a, b, mass[a] * mass[b]) for a in range(n) for b in range(a + 1, n)]
    scale = solve(n, links, pairs, True) * float(options.get("load", 1))
    demands = [(a, b, max(1, int(weight * scale))) for a, b, weight in pairs]
    dice.shuffle(demands)
    bound = min(solve(n, links, demands, False), sum(rate for _, _, rate in demands))
    lines = [f"{n} {len(links)} {len(demands)}"] + [" ".join(map(str, row)) for row in links + demands]
    carried = subprocess.run(
        [WAYS, "carry", options.get("metric", "load")], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    ).stdout
    share = int(carried) / bound
    print(f"{sys.argv[1]} {n} routers {len(links)} links {len(demands)} demands: "
          f"bound {bound / sum(rate for _, _, rate in demands):.3f} of all, carried {share:.4f} of the bound")


if __name__ == "__main__":
    main()
