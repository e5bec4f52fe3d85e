#!/usr/bin/env python3
"""Memory of tncd with many paths on a network of 1,000 routers and 4,000 links.

paths_held.py [BUILD=build] [PATHS=10000]
    The paths are written into tncd's database; its routers are not there. Prints what tncd has in
    memory once it lists them all, and how long a question for the three quickest ways takes then, by
    the command line.
"""
import collections
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROUTERS, HOSTS, LINKS = 1000, 200, 4000


def address(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def network(dice):
    """Links: name, node, port, node, port. Every router on a ring, the rest anywhere, the hosts last."""
    pairs = [(f"r{i}", f"r{(i + 1) % ROUTERS}") for i in range(ROUTERS)]
    while len(pairs) < LINKS - HOSTS:
        a, b = dice.sample(range(ROUTERS), 2)
        pairs.append((f"r{a}", f"r{b}"))
    pairs += [(f"h{i}", f"r{dice.randrange(ROUTERS)}") for i in range(HOSTS)]
    return [(f"l{i}", a, f"p{i}" if a[0] == "r" else "u0", b, f"p{i}") for i, (a, b) in enumerate(pairs)]


def write_inventory(path, links):
    lines = ['<transport version="1.0">', '<pool prefix="20.0.0.0/8"/>']
    lines += [f'<router name="r{i}" address="{address((127 << 24) + (1 << 16) + i)}"/>' for i in range(ROUTERS)]
    lines += [f'<host name="h{i}"/>' for i in range(HOSTS)]
    for i, (name, a, port_a, b, port_b) in enumerate(links):
        at = (10 << 24) + 4 * i
        lines.append(f'<link name="{name}" capacity="100Gbps" latency="{1 + i % 9}ms">'
                     f'<end node="{a}" port="{port_a}" address="{address(at + 1)}"/>'
                     f'<end node="{b}" port="{port_b}" address="{address(at + 2)}"/></link>')
    with open(path, "w") as out:
        out.write("\n".join(lines + ["</transport>"]) + "\n")


def routes(links, n, dice):
    beside = collections.defaultdict(list)
    for name, a, _, b, _ in links:
        beside[a].append((b, name))
        beside[b].append((a, name))
    while n:
        start = f"h{dice.randrange(HOSTS)}"
        came, order = {start: None}, collections.deque([start])
        while order:
            at = order.popleft()
            for to, name in beside[at]:
                if to not in came and (at == start or at[0] == "r"):
                    came[to] = (at, name)
                    order.append(to)
        for end in sorted(f"h{i}" for i in range(HOSTS) if f"h{i}" > start)[:20]:
            nodes, edges = [end], []
            while came[nodes[-1]]:
                before, name = came[nodes[-1]]
                nodes.append(before)
                edges.append(name)
            yield [f"{start}:u0", *nodes[-2:0:-1], f"{end}:u0"], edges[::-1]
            n -= 1
            if not n:
                return


def fill(path, links, n, dice):
    store = sqlite3.connect(path)
    for i, (vertices, edges) in enumerate(routes(links, n, dice)):
        name = f"{i:013d}"
        store.execute(
            "INSERT INTO path(name, vertices, edges, address_a, address_b, next_hop_a, next_hop_b, latency_us) "
            "VALUES(?, ?, ?, ?, ?, '10.0.0.1', '10.0.0.1', 1000)",
            (name, " ".join(vertices), " ".join(edges), (20 << 24) + 1 + 2 * i, (20 << 24) + 2 + 2 * i))
        store.execute("INSERT INTO share(rid, path, rate_ab_bps, rate_ba_bps) VALUES(?, ?, 1000000, 1000000)",
                      (1 + i, name))
    store.commit()
    store.close()


def memory(pid, what):
    with open(f"/proc/{pid}/status") as status:
        return [int(line.split()[1]) // 1024 for line in status if line.startswith(what)][0]


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    dice = random.Random(1)
    links = network(dice)
    with tempfile.TemporaryDirectory() as folder:
        client = os.path.join(build, "test", "tnc_client")
        for role, name in (("tnc", "ctl"), ("noc", "staff")):
            subprocess.run([client, "issue", folder, role, name, "127.0.0.1"], check=True)
        os.mkdir(f"{folder}/pki")
        for name in ("crt", "key"):
            os.rename(f"{folder}/tnc-ctl.{name}", f"{folder}/pki/tncd.{name}")
        with open(f"{folder}/ca.crt") as ca, open(f"{folder}/pki/ca.crt", "w") as copy:
            copy.write(ca.read())
        write_inventory(f"{folder}/transport.xml", links)
        with open(f"{folder}/tncd.conf", "w") as conf:
            conf.write(f"[daemon]\nname=ctl\nlisten=127.0.0.1:17702\nsocket={folder}/tncd.sock\npki={folder}/pki\n"
                       f"state={folder}/state\nlog=error\n[tnc]\ntransport={folder}/transport.xml\n")
        with open(f"{folder}/config.ini", "w") as conf:
            conf.write(f"[vnode]\ncontext=noc\n[context noc]\ntnc=unix:{folder}/tncd.sock\nca={folder}/ca.crt\n"
                       f"cert={folder}/noc-staff.crt\nkey={folder}/noc-staff.key\n")

        def vnode(*words):
            return subprocess.run([f"{build}/bin/vnode", *words], capture_output=True, text=True,
                                  env={"VNODE_CONFIG": f"{folder}/config.ini"})

        def start():
            tncd = subprocess.Popen([f"{build}/bin/tncd", "--config", f"{folder}/tncd.conf"],
                                    stderr=open(f"{folder}/log", "a"))
            while vnode("path", "list").returncode:
                if tncd.poll() is not None:
                    sys.exit(open(f"{folder}/log").read()[-2000:])
                time.sleep(0.2)
            return tncd

        tncd = start()
        print(f"empty: {memory(tncd.pid, 'VmRSS')} MB")
        tncd.send_signal(signal.SIGTERM)
        tncd.wait()
        databases = [name for name in os.listdir(f"{folder}/state") if name.endswith(".db")]
        fill(f"{folder}/state/{databases[0]}", links, n, dice)
        tncd = start()
        time.sleep(20)
        listed = vnode("path", "list").stdout.count("\n") - 1
        began = time.monotonic()
        ways = vnode("path", "candidates", "h1", "h2", "--rate", "1Mbps").stdout.count("\n") - 1
        took = time.monotonic() - began
        print(f"{listed} paths: {memory(tncd.pid, 'VmRSS')} MB, at most {memory(tncd.pid, 'VmHWM')} MB; "
              f"{ways} candidates by vnode in {took * 1000:.0f} ms")
        tncd.send_signal(signal.SIGKILL)
        tncd.wait()


if __name__ == "__main__":
    main()
