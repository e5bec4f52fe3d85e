#!/usr/bin/env python3
"""Random fault schedules with real processes: sncd as it is; managers that are the real engine behind
the real server, one process each, their objects files; users that create, change and delete slices
over RPC. A seed chooses when a daemon is killed, dies at a fault point, stands still, has no disk left
or cannot work, when a host is away, and what happens to bytes on their way. Afterwards the invariants
I1 to I7 must hold.

    real_faults.py BUILD [--seeds N] [--first N] [--seed S] [--times N] [--jobs N] [--programs DIR]

--seeds N tries N schedules, from --first on; --seed S one, --times times over, and tells its story: the
seed decides what is done and when, not how the processes run, so that it may take some. Programs in DIR
take the place of those in BUILD. Prints what was violated, the seed, and where its files are. Needs
root, for namespaces of its own.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
from real_check import (Violated, World, at_rest, check_given_back, check_ledger, check_room,  # noqa: E402
                        check_users, eventually, list_slices)
from real_domain import Domain, make_namespaces, make_pki, prepare_namespaces  # noqa: E402
from real_user import User  # noqa: E402

KILLS_MIN, FAULTS_S = 17, 4.0
N_USERS, N_SLOTS = 3, 2
RIVAL_S = 1
LIMIT_S = 550  # of one schedule: then something hangs
ACTIONS = {"kill": 9, "stand still": 3, "away": 3, "disk": 2, "effects": 6, "vanish": 1, "stray": 1,
           "rival": 1}


class Schedule:
    """Faults, until there were enough of them."""

    def __init__(self, domain, seed, is_told):
        self.domain, self.is_told = domain, is_told
        self.dice = random.Random(f"{seed} schedule")
        self.counts = collections.Counter()
        self.later = []  # (time, what ends then)
        self.began = time.monotonic()
        self.daemons = list(domain.daemons.values())

    def tell(self, text):
        if self.is_told:
            print(f"  {time.monotonic() - self.began:7.3f} {text}", flush=True)

    def run(self):
        while self.counts["kills"] < KILLS_MIN or time.monotonic() < self.began + FAULTS_S:
            self.wait(self.dice.uniform(0, 0.25))
            action = self.dice.choices(list(ACTIONS), ACTIONS.values())[0]
            getattr(self, "_" + action.replace(" ", "_"))()
        self.domain.proxy.calm()
        for _, end in self.later:
            end()
        self.later = []
        for daemon in self.daemons:
            if daemon.is_up() and daemon.is_armed:
                daemon.kill()

    def wait(self, seconds):
        """Time passes: what is over ends, who died is started again."""
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for item in [item for item in self.later if item[0] <= now]:
                self.later.remove(item)
                item[1]()
            for daemon in self.daemons:
                self._supervise(daemon, now)
            if now >= until:
                return
            time.sleep(0.01)

    def _supervise(self, daemon, now):
        if daemon.is_up():
            return
        if daemon.process:
            code, daemon.process = daemon.process.returncode, None
            daemon.is_stopped = False
            self.counts["kills" if code == -signal.SIGKILL else f"exit {code}"] += 1
            self.tell(f"{daemon.name} ended: {code}")
            if code < 0 and code != -signal.SIGKILL:
                raise Violated(f"{daemon.name} ended by {signal.Signals(-code).name}")
            daemon.start_at = now + self.dice.uniform(0, 0.2)
        elif now >= daemon.start_at:
            crash = None
            if not self.domain.proxy.is_calm and self.dice.randrange(5) < 2:
                crash = f"{self.dice.choice(daemon.points)}:{1 + self.dice.randrange(12)}"
            daemon.start(crash)
            self.tell(f"{daemon.name} started {crash or ''}")

    def _end(self, seconds, what):
        self.later.append((time.monotonic() + seconds, what))

    def _any(self):
        """sncd as often as two of the others."""
        return self.dice.choice(self.daemons + self.daemons[:1])

    def _kill(self):
        daemon = self._any()
        if daemon.is_up():
            self.tell(f"kill {daemon.name}")
            daemon.kill()

    def _stand_still(self):
        daemon = self._any()
        seconds = self.dice.uniform(0.05, 0.6) if self.dice.randrange(40) else 8
        if daemon.is_up() and not daemon.is_stopped:
            self.tell(f"{daemon.name} stands still for {seconds:.2f} s")
            self.counts["stopped"] += 1
            daemon.stop()
            self._end(seconds, daemon.resume)

    def _away(self):
        name = self.dice.choice(list(self.domain.proxy.links))
        names = [name] if "v" not in name.split("@")[-1] else \
            [link for link in self.domain.proxy.links if link.endswith(name.split("@")[-1])]
        how = self.dice.choice(("refused", "silent"))
        self.tell(f"{names} away: {how}")
        self.counts["away"] += 1
        for link in names:
            self.domain.proxy.set_away(link, how)
            self._end(self.dice.uniform(0.1, 0.8), lambda link=link: self.domain.proxy.set_away(link, None))

    def _disk(self):
        daemon = self._any()
        self.tell(f"disk of {daemon.name} full")
        self.counts["full disks"] += 1
        daemon.fill_disk()
        self._end(self.dice.uniform(0.1, 1.0), daemon.empty_disk)

    def _effects(self):
        daemon = self.dice.choice(self.domain.managers())
        path = f"{daemon.objects}.fails"
        self.tell(f"{daemon.name} can do nothing")
        self.counts["effects fail"] += 1
        open(path, "w").close()
        seconds = self.dice.uniform(0.2, 1.5) if self.dice.randrange(4) else 7  # calls wait for 5 s
        self._end(seconds, lambda: os.path.exists(path) and os.unlink(path))

    def _vanish(self):
        daemon = self.dice.choice(self.domain.managers())
        for name in os.listdir(daemon.objects):
            if not name.startswith("."):
                self.tell(f"{name} of {daemon.name} vanishes")
                self.counts["vanished"] += 1
                self.domain.vanished.add((daemon.name, name))
                try:
                    os.unlink(f"{daemon.objects}/{name}")
                except FileNotFoundError:
                    pass  # its manager was faster
                return

    def _stray(self):
        daemon = self.dice.choice(self.domain.managers())
        self.counts["strays"] += 1
        with open(f"{daemon.objects}/{self.dice.randrange(1, 1000):013d}", "w") as file:
            file.write("units=0\n")

    def _rival(self):
        """A second sncd while there is one, perhaps one that stands still: it goes."""
        sncd = self.domain.daemons["sncd"]
        if not sncd.is_up() or os.path.exists(f"{sncd.disk}/filler"):
            return
        self.counts["rivals"] += 1
        rival = subprocess.Popen(sncd.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        until = time.monotonic() + RIVAL_S
        while rival.poll() is None and time.monotonic() < until:
            self.wait(0.02)
        self.tell(f"a second sncd: {rival.poll()}")
        rival.kill()  # it was the first one, perhaps
        rival.wait()


def start_all(schedule, client):
    for daemon in schedule.daemons:
        os.makedirs(daemon.objects)
        daemon.start()
    hosts_up(schedule, client)


def hosts_up(schedule, client):
    def missing():
        schedule.wait(0)
        hosts = client.call("snc.host_list")["hosts"]
        return next((f"{host}" for host in hosts if host["state"] != "up" or not host["images"]), None)
    eventually(missing)


def check_all(schedule, domain, users, client):
    def rest():
        schedule.wait(0)
        return at_rest(client)
    hosts_up(schedule, client)
    for user in users:
        user.settle(client, lambda: schedule.wait(0.02))
    eventually(rest)
    listed, world = list_slices(client), World(domain)
    schedule.tell(f"at rest: { {slice_['name']: slice_['state'] for slice_ in listed.values()} }")
    schedule.counts["slices left"] += len(listed)
    world.check(domain)
    check_users(users, dict(listed), world)
    check_ledger(client, world.free_cpus())
    restart(schedule, domain.daemons["sncd"], client)
    eventually(rest)
    World(domain).check(domain)
    check_users(users, list_slices(client), World(domain))
    check_ledger(client, world.free_cpus())
    check_given_back(client, users)
    check_room(client)
    World(domain).check(domain)
    for daemon in domain.managers():
        if os.path.exists(f"{daemon.objects}.overfull"):
            raise Violated(f"I1 {daemon.name}: {open(f'{daemon.objects}.overfull').readline()}")


def restart(schedule, daemon, client):
    """Its books are what it reads of them."""
    daemon.kill()
    daemon.process.wait()
    client.close()
    hosts_up(schedule, client)


def survive(domain, seed, is_told):
    schedule = Schedule(domain, seed, is_told)
    client = domain.client()
    users = [User(domain, i, N_SLOTS, seed) for i in range(N_USERS)]
    start_all(schedule, client)
    domain.proxy.is_calm = False
    for user in users:
        user.start()
    try:
        schedule.run()
    finally:
        for user in users:
            user.is_ending.set()
    for user in users:
        user.join()
        if user.violations:
            raise Violated("; ".join(user.violations))
    client.close()
    check_all(schedule, domain, users, client)
    for user in users:
        schedule.counts.update({f"call {what}": n for what, n in user.counts.items()})
    own, others = os.times()[:2], os.times()[2:4]
    schedule.counts.update({"ms processor, harness": int(1000 * sum(own)),
                            "ms processor, daemons": int(1000 * sum(others))})
    schedule.counts.update({f"bytes {fate}": n for fate, n in domain.proxy.counts.items()})
    return schedule.counts


def run_schedule(seed, work, options):
    """In a process of its own; true when nothing was violated."""
    folder = f"{work}/seed-{seed}"
    os.mkdir(folder)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIMIT_S)
    prepare_namespaces()
    domain = Domain(folder, f"{work}/pki", options.build, options.programs, seed)
    why = ""
    try:
        counts = survive(domain, seed, options.seed is not None)
    except Violated as violated:
        why = str(violated)
    except Exception:
        why = traceback.format_exc()
    if not why:
        with open(f"{work}/counts-{seed}", "w") as file:
            file.writelines(f"{n} {what}\n" for what, n in counts.items())
        return True
    kept = tempfile.mkdtemp(prefix=f"vnode-real-faults-{seed}-")
    for daemon in domain.daemons.values():
        if daemon.is_up():
            daemon.kill()
    domain.keep(kept)
    print(f"violated: {why}\nseed {seed} failed: real_faults.py BUILD --seed {seed} tells its story; "
          f"its files: {kept}", flush=True)
    return False


def begin(seed, work, options):
    """A child that makes namespaces and waits for the schedule in them."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        make_namespaces()
        inner = os.fork()
        if not inner:
            code = 0 if run_schedule(seed, work, options) else 1
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        if code < 0:
            print(f"seed {seed} failed: it was ended by signal {-code}", flush=True)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1 if code else 0)


def run_all(seeds, work, options):
    running, n_failed = {}, 0
    while seeds or running:
        if seeds and len(running) < options.jobs:
            seed = seeds.pop(0)
            running[begin(seed, work, options)] = seed
            continue
        child, status = os.wait()
        seed = running.pop(child)
        n_failed += status != 0
        shutil.rmtree(f"{work}/seed-{seed}", ignore_errors=True)
    return n_failed


def sum_counts(work):
    counts, kills = collections.Counter(), []
    for name in os.listdir(work):
        if not name.startswith("counts-"):
            continue
        for line in open(f"{work}/{name}"):
            n, what = line.rstrip("\n").split(" ", 1)
            counts[what] += int(n)
            if what == "kills":
                kills.append(int(n))
    return counts, kills


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.realpath)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--programs", type=os.path.realpath)
    return parser.parse_args()


def main():
    options = parse_options()
    seeds = list(range(options.first, options.first + options.seeds))
    n_failed, n, began = 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vnode-real-faults-") as work:
        os.mkdir(f"{work}/pki")
        make_pki(f"{work}/pki", f"{options.build}/bin/vnode")
        for _ in range(options.times if options.seed is not None else 1):
            todo = seeds if options.seed is None else [options.seed]
            n += len(todo)
            n_failed += run_all(todo, work, options)
        counts, kills = sum_counts(work)
    seconds = time.monotonic() - began
    for what, number in sorted(counts.items()):
        print(f"{number:8d} {what}")
    print(f"{n} schedules, {n_failed} failed, kills {sum(kills)} (at least {min(kills, default=0)} "
          f"each), {seconds:.0f} s")
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
