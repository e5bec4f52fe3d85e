#!/usr/bin/env python3
"""Problems of on-line embedding for build/bench/embed: drawn, checked, and compared with an optimum.

embedding.py draw OUT [seed=1] [hosts=100] [degree=10] [requests=300] [rate=0.16] [fill=0]
    A substrate of random points, the nearest joined, and requests that come and go; with fill=F all
    of them are cut out of the substrate, which then has F times the room that they need: all fit.
embedding.py check FILE.vne SOLUTION
    Books the solution in the order of time; prints RAC, LRC, LAR; exit 1 when anything is exceeded.
embedding.py gap FILE.vne [COUNT]
    COUNT requests of at most 5 nodes, each alone on the empty substrate: by how much the cost of
    build/bench/embed exceeds the optimum that cbc (package coinor-cbc) finds. One that has no
    answer, of cbc in a minute or of embed, is named, and another one taken in its place.
"""
import os
import random
import subprocess
import sys
import tempfile

EMBED = os.path.join(os.path.dirname(__file__), "..", "build", "bench", "embed")


def read(path):
    """CPU of hosts, rates of links, requests (id, arrival, life, CPU of nodes, links)."""
    rows = iter([line.split() for line in open(path) if line.strip()])
    next(rows)
    _, n, m = next(rows)
    hosts = [float(next(rows)[2]) for _ in range(int(n))]
    rates = {}
    for _ in range(int(m)):
        _, a, b, rate = next(rows)
        rates[frozenset((int(a), int(b)))] = float(rate)
    requests = []
    for _ in range(int(next(rows)[1])):
        _, name, arrival, life, n, m = next(rows)
        nodes = [float(next(rows)[2]) for _ in range(int(n))]
        links = [next(rows)[1:] for _ in range(int(m))]
        links = [(int(a), int(b), float(rate)) for a, b, rate in links]
        requests.append((int(name), float(arrival), float(life), nodes, links))
    return hosts, rates, requests


def write(path, hosts, rates, requests):
    lines = ["vne 1", f"substrate {len(hosts)} {len(rates)}"]
    lines += [f"n {i} {cpu:g}" for i, cpu in enumerate(hosts)]
    lines += ["l %d %d %g" % (*sorted(ends), rate) for ends, rate in rates.items()]
    lines.append(f"requests {len(requests)}")
    for name, arrival, life, nodes, links in requests:
        lines.append(f"r {name} {arrival!r} {life!r} {len(nodes)} {len(links)}")
        lines += [f"n {i} {cpu:g}" for i, cpu in enumerate(nodes)]
        lines += [f"l {a} {b} {rate:g}" for a, b, rate in links]
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")


def neighbours(edges):
    beside = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    return beside


def draw_edges(rnd, n, degree):
    """Nearest pairs first; then what is apart is joined by a chain of its nearest."""
    at = [(rnd.random(), rnd.random()) for _ in range(n)]
    pairs = sorted(
        ((at[a][0] - at[b][0]) ** 2 + (at[a][1] - at[b][1]) ** 2, b, a)
        for a in range(n) for b in range(a)
    )
    part, edges = list(range(n)), []
    for rank, (_, a, b) in enumerate(pairs):
        if rank >= n * degree / 2 and part[a] == part[b]:
            continue
        edges.append((a, b))
        part = [part[b] if p == part[a] else p for p in part]
    return edges


def draw_graph(rnd, n):
    """A random tree and each other pair with a chance that makes half of all pairs."""
    links = {(rnd.randrange(a), a) for a in range(1, n)}
    return sorted(links | {(b, a) for a in range(n) for b in range(a) if rnd.random() < 0.35})


def cut_out(rnd, beside, n):
    """Connected hosts, and some of the links between them."""
    chosen, links = [rnd.choice(sorted(beside))], set()
    while len(chosen) < n:
        edge = [(a, b) for a in chosen for b in beside[a] if b not in chosen]
        if not edge:
            break
        a, b = rnd.choice(edge)
        chosen.append(b)
        links.add((a, b))
    spare = {(a, b) for a in chosen for b in beside[a] if a < b and b in chosen}
    links |= {(a, b) for a, b in sorted(spare) if (b, a) not in links and rnd.random() < 0.5}
    return chosen, sorted(links)


def draw(path, options):
    given = {"seed": 1, "hosts": 100, "degree": 10, "requests": 300, "rate": 0.16, "fill": 0}
    for option in options:
        key, value = option.split("=")
        given[key] = type(given[key])(float(value)) if key != "fill" else float(value)
    rnd, fill = random.Random(given["seed"]), given["fill"]
    n, time, requests = given["hosts"], 0.0, []
    edges = draw_edges(rnd, n, given["degree"])
    beside, used, taken = neighbours(edges), [0] * n, {frozenset(e): 0 for e in edges}
    for name in range(given["requests"]):
        time += rnd.expovariate(given["rate"])
        size = rnd.randint(2, 10)
        chosen, links = cut_out(rnd, beside, size) if fill else (range(size), draw_graph(rnd, size))
        chosen = rnd.sample(list(chosen), len(chosen))
        place = {host: i for i, host in enumerate(chosen)}
        nodes = [rnd.randint(1, 20) for _ in chosen]
        links = [(place[a], place[b], rnd.randint(1, 50)) for a, b in links]
        for cpu, host in zip(nodes, chosen):
            used[host] += cpu
        for a, b, rate in links if fill else ():
            taken[frozenset((chosen[a], chosen[b]))] += rate
        requests.append((name, time, 1e6 if fill else rnd.expovariate(1 / 500), nodes, links))
    hosts = [-(-cpu * fill // 1) if fill else rnd.randint(50, 100) for cpu in used]
    rates = {e: -(-taken[e] * fill // 1) if fill else rnd.randint(50, 100) for e in taken}
    write(path, hosts, rates, requests)


def read_solution(path):
    placed, rows = {}, [line.split() for line in open(path) if line.strip()]
    for word, *rest in rows:
        numbers = [int(x) for x in rest]
        if word == "a":
            nodes, paths = placed.setdefault(numbers[0], ({}, {}))
        elif word == "n":
            nodes[numbers[0]] = numbers[1]
        else:
            paths[numbers[0], numbers[1]] = numbers[2:]
    return placed


def cost_of(request, paths):
    return sum(request[3]) + sum(r * (len(paths[a, b]) - 1) for a, b, r in request[4])


def check(problem, solution):
    hosts, rates, requests = read(problem)
    placed, faults, revenue, cost = read_solution(solution), [], 0.0, 0.0
    events = [(r[1], 0, r) for r in requests if r[0] in placed]
    events += [(r[1] + r[2], 1, r) for r in requests if r[0] in placed]
    for _, leaves, request in sorted(events, key=lambda event: event[:2]):
        name, _, life, cpus, links = request
        nodes, paths = placed[name]
        sign = 1 if leaves else -1
        if len(set(nodes.values())) != len(cpus):
            faults.append(f"request {name}: not every node has a host of its own")
        for i, cpu in enumerate(cpus):
            hosts[nodes[i]] += sign * cpu
            if hosts[nodes[i]] < -1e-6:
                faults.append(f"request {name}: CPU of {nodes[i]}")
        for a, b, rate in links:
            path = paths[a, b]
            if path[0] != nodes[a] or path[-1] != nodes[b]:
                faults.append(f"request {name}: link {a} {b} does not join its nodes")
            for edge in map(frozenset, zip(path, path[1:])):
                rates[edge] += sign * rate  # no such edge: KeyError
                if rates[edge] < -1e-6:
                    faults.append(f"request {name}: rate of {sorted(edge)}")
        if not leaves:
            revenue += life * (sum(cpus) + sum(link[2] for link in links))
            cost += life * cost_of(request, paths)
    last = max(r[1] for r in requests) or 1
    print("\n".join(faults[:20]))
    print(f"RAC {100 * len(placed) / len(requests):.2f} LRC {revenue / (cost or 1):.4f} "
          f"LAR {revenue / last:.2f} faults {len(faults)}")
    return 1 if faults else 0


def program_of(hosts, rates, request):
    """Hosts of nodes and flows of links as a 0/1 program, in CPLEX's LP format."""
    cpus, links = request[3], request[4]
    arcs = [arc for e in map(sorted, rates) for arc in (tuple(e), tuple(e[::-1]))]
    goal, rows, names = [], [], []
    for v, cpu in enumerate(cpus):
        may = [h for h, room in enumerate(hosts) if room >= cpu]
        rows.append(" + ".join(f"x{v}_{h}" for h in may) + " = 1")
        rows += [f"x{v}_{h} = 0" for h in range(len(hosts)) if h not in may]
        names += [f"x{v}_{h}" for h in range(len(hosts))]
    for h in range(len(hosts)):
        rows.append(" + ".join(f"x{v}_{h}" for v in range(len(cpus))) + " <= 1")
    for k, (a, b, rate) in enumerate(links):
        goal += [f"{rate:g} f{k}_{u}_{w}" for u, w in arcs]
        names += [f"f{k}_{u}_{w}" for u, w in arcs]
        for h in range(len(hosts)):
            out = " + ".join(f"f{k}_{u}_{w}" for u, w in arcs if u == h)
            back = " - ".join(f"f{k}_{u}_{w}" for u, w in arcs if w == h)
            rows.append(f"{out} - {back} - x{a}_{h} + x{b}_{h} = 0")
    for u, w in arcs:
        if u < w:
            both = [f"{r:g} f{k}_{x}_{y}" for k, (_, _, r) in enumerate(links)
                    for x, y in ((u, w), (w, u))]
            rows.append(" + ".join(both) + f" <= {rates[frozenset((u, w))]:g}")
    return "Minimize\n goal: {}\nSubject To\n {}\nBinary\n {}\nEnd\n".format(
        "\n + ".join(goal), "\n ".join(rows), "\n ".join(names))


def optimum_of(hosts, rates, request, folder):
    program, result = os.path.join(folder, "p.lp"), os.path.join(folder, "p.sol")
    with open(program, "w") as out:
        out.write(program_of(hosts, rates, request))
    subprocess.run(["cbc", program, "sec", "60", "solve", "solution", result],
                   stdout=subprocess.DEVNULL, check=True)
    head = open(result).readline()
    if not head.startswith("Optimal"):
        return None
    return sum(request[3]) + float(head.split()[-1])


def gap(path, count):
    hosts, rates, requests = read(path)
    gaps, missed = [], []
    small = [r for r in requests if len(r[3]) <= 5 and r[4]]
    with tempfile.TemporaryDirectory() as folder:
        one, solution = os.path.join(folder, "one.vne"), os.path.join(folder, "one.sol")
        for request in small:
            if len(gaps) == count:
                break
            best = optimum_of(hosts, rates, request, folder)
            write(one, hosts, rates, [request])
            with open(solution, "w") as out:
                subprocess.run([EMBED, one], stdout=out, stderr=subprocess.DEVNULL, check=True)
            placed = read_solution(solution)
            if best is None or request[0] not in placed:
                missed.append(f"{request[0]}: " + ("cbc" if best is None else "embed"))
                continue
            gaps.append(cost_of(request, placed[request[0]][1]) / best - 1)
    print(f"{len(gaps)} requests, mean gap {100 * sum(gaps) / max(len(gaps), 1):.3f} %, "
          f"worst {100 * max(gaps, default=0):.3f} %, without an answer in time {missed}")
    return 0


def main():
    what, *rest = sys.argv[1:] or [""]
    if what == "draw" and rest:
        return draw(rest[0], rest[1:])
    if what == "check" and len(rest) == 2:
        return check(*rest)
    if what == "gap" and rest:
        return gap(rest[0], int(rest[1]) if len(rest) > 1 else 50)
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main())
