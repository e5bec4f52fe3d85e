"""What must hold at the end of a schedule of test/fault/real_faults.py: the invariants of
docs/protocol.md, from databases, objects and what users were told."""
import glob
import os
import shutil
import signal
import sqlite3
import tempfile
import time

from real_domain import CPUS, CPUS_TOLD, N_HOSTS, Fault, Unanswered
from real_user import document

QUIET_S = 150
HELD, COMMITTED, RELEASED = 1, 2, 3


class Violated(Exception):
    """An invariant does not hold."""


def id_text(rid):
    return "".join("0123456789abcdefghijklmnopqrstuv"[rid << 1 >> 5 * i & 31] for i in range(12, -1, -1))


def eventually(what, seconds=QUIET_S):
    """Waits until what() returns nothing to complain of."""
    until = time.monotonic() + seconds
    while True:
        try:
            complaint = what()
        except (Fault, Unanswered) as error:
            complaint = f"sncd: {error}"
        if not complaint:
            return
        if time.monotonic() > until:
            raise Violated(complaint)
        time.sleep(0.05)


def list_slices(client):
    slices, after = [], {}
    while True:
        page = client.call("snc.slice_list", **after)
        slices += page["slices"]
        if not page.get("next"):
            return {slice_["name"]: slice_ for slice_ in slices}
        after = {"after": page["next"]}


def at_rest(client):
    """I4, and nothing that does not agree."""
    for slice_ in list_slices(client).values():
        if slice_["progress"] or slice_["degraded"] or slice_["state"] in ("MODIFYING", "DELETING"):
            return f"I4 no rest: {slice_}"
    orphans = client.call("snc.orphans")["orphans"]
    return f"I3 orphans: {orphans}" if orphans else None


def read_rows(daemon, sql):
    """From a copy: reading the daemon's own files would take part in its locking."""
    with tempfile.TemporaryDirectory(dir=daemon.folder) as copy:
        for path in glob.glob(f"{daemon.disk}/*.db*"):
            if not path.endswith((".ballast", "-shm", ".lock")):
                shutil.copy(path, copy)
        (path,) = glob.glob(f"{copy}/*.db")
        with sqlite3.connect(path) as db:
            db.row_factory = sqlite3.Row
            rows = db.execute(sql).fetchall()
        db.close()
        return rows


def units(spec):
    for line in spec.splitlines():
        if line.startswith("cpu="):
            return int(line[4:])
    return 1


def field(spec, key):
    for line in spec.splitlines():
        if line.startswith(f"{key}="):
            return line[len(key) + 1:]
    return ""


def fits(attr, wanted):
    """The same, but for what sncd has put in for references to other rows' results."""
    pairs = list(zip(attr.splitlines(), wanted.splitlines()))
    return not attr or attr.count("\n") == wanted.count("\n") and all(
        here == there or there.partition("=")[2].startswith("${") and
        here.partition("=")[0] == there.partition("=")[0] for here, there in pairs)


class World:
    """Books and objects of all daemons at one instant, in which none of them runs."""

    def __init__(self, domain):
        for daemon in domain.daemons.values():
            daemon.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, daemon.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        try:
            self.wanted = read_rows(domain.daemons["sncd"], """SELECT r.*, g.state AS group_state,
                g.goal FROM controller_row r JOIN controller_group g ON g.name = r.grp""")
            self.documents = {row[0]: row[1] for row in read_rows(domain.daemons["sncd"],
                                                                  "SELECT slice, bytes FROM document")}
            self.rows, self.objects = {}, {}
            for daemon in domain.managers():
                self.rows[daemon.name] = read_rows(daemon, "SELECT * FROM manager_row")
                self.objects[daemon.name] = {
                    name: open(f"{daemon.objects}/{name}").read()
                    for name in os.listdir(daemon.objects) if not name.startswith(".")}
        finally:
            for daemon in domain.daemons.values():
                daemon.process.send_signal(signal.SIGCONT)

    def check(self, domain):
        for daemon in domain.managers():
            self._check_charge(daemon)
            self._check_objects(daemon)
            self._check_agreement(daemon)

    def _check_charge(self, daemon):
        rows = self.rows[daemon.name]
        charged = sum(units(row["spec"]) for row in rows if row["state"] < RELEASED or row["eff"])
        if charged > int(daemon.command[3]):
            raise Violated(f"I1 {daemon.name} has given {charged} units of {daemon.command[3]}")
        names = [(row["kind"], *(field(row["spec"], key) for key in ("slice", "name", "link", "port", "node")))
                 for row in rows if row["state"] < RELEASED]
        if len(set(names)) < len(names):
            raise Violated(f"charged twice at {daemon.name}: {sorted(names)}")

    def _check_objects(self, daemon):
        objects = self.objects[daemon.name]
        rows = {id_text(row["rid"]): row for row in self.rows[daemon.name]}
        real = {rid for rid, row in rows.items() if row["state"] == COMMITTED}
        if set(objects) != real:
            raise Violated(f"I3 {daemon.name}: objects {sorted(objects)}, rows {sorted(real)}")
        for rid in real:
            row = rows[rid]
            if objects[rid] != f"units={units(row['spec'])}\n{row['kind']}\n{row['spec']}\n{row['attr']}":
                raise Violated(f"I2 {daemon.name}: {rid} is not as its row says: {objects[rid]}")

    def _check_agreement(self, daemon):
        here = {row["rid"]: (row["state"], row["rev"], row["attr"]) for row in self.rows[daemon.name]
                if row["state"] < RELEASED}
        there = {row["rid"]: (row["have"], row["rev"], row["attr"]) for row in self.wanted
                 if row["manager"] == daemon.name and row["have"] < RELEASED}
        for rid in here.keys() ^ there.keys():
            raise Violated(f"I3 {daemon.name}: {id_text(rid)} is known to one side only: "
                           f"{here.get(rid)} {there.get(rid)}")
        for rid, row in here.items():
            if row[0] != there[rid][0] or row[0] == COMMITTED and row[1] != there[rid][1] or \
                    not fits(row[2], there[rid][2]):
                raise Violated(f"I2 {daemon.name}: {id_text(rid)} {row}, sncd: {there[rid]}")

    def check_slice(self, slice_, seen):
        """I2: all of its parts, once each, as its document says."""
        text = self.documents[seen["id"]]
        if text not in slice_.documents:
            raise Violated(f"{slice_.name}: a document that nobody has sent")
        n_nodes, n_links = text.count(b"<nodeSliver "), text.count(b"<linkSliver ")
        if (seen["n_nodes"], seen["n_links"]) != (n_nodes, n_links):
            raise Violated(f"{slice_.name}: its record is not its document: {seen}")
        wanted = (n_nodes, 2 * n_links) if seen["state"] in ("RUNNING", "RESERVED", "STOPPED") else (0, 0)
        state = COMMITTED if seen["state"] in ("RUNNING", "STOPPED") else HELD
        rows = [row for manager in self.rows.values() for row in manager
                if row["state"] == state and field(row["spec"], "slice") == seen["id"]]
        found = tuple(sum(row["kind"] == kind for row in rows) for kind in ("node", "link_end"))
        if found != wanted:
            raise Violated(f"I2 {slice_.name} is {seen['state']} with {found} nodes and ends of "
                           f"{wanted}")

    def free_cpus(self):
        return {f"v{i + 1}": CPUS_TOLD - sum(units(row["spec"]) for row in self.rows[f"programmer@v{i + 1}"]
                                        if row["state"] < RELEASED or row["eff"])
                for i in range(N_HOSTS)}


def check_users(users, listed, world):
    for user in users:
        for slice_ in user.slices:
            seen = listed.pop(slice_.name, None)
            if slice_.is_deleted and seen:
                raise Violated(f"an accepted deletion did not take place: {seen}")
            if slice_.is_created or seen and not slice_.n_unanswered:
                user.learn(slice_, seen)
            if seen:
                world.check_slice(slice_, seen)
        if user.violations:
            raise Violated("; ".join(user.violations))
    if listed:
        raise Violated(f"slices that nobody has created: {list(listed)}")


def check_ledger(client, free):
    def differs():
        told = {host["name"]: host["cpu_free"] for host in client.call("snc.host_list")["hosts"]}
        return None if told == free else f"the ledger: {told}, the managers: {free}"
    eventually(differs)


def check_given_back(client, users):
    """All goes, nothing is left, and all of it can be had again."""
    for name in list_slices(client):
        eventually(lambda name=name: client.call("snc.slice_delete", slice=name) and None)
    eventually(lambda: f"I4 not gone: {list_slices(client)}" if list_slices(client) else None)
    eventually(lambda: at_rest(client))
    check_ledger(client, {f"v{i + 1}": CPUS_TOLD for i in range(N_HOSTS)})
    for user in users:
        for slice_ in user.slices:
            slice_.is_delete_sent = True


def check_room(client):
    """As many slices as there are hosts, each of which needs all of one."""
    names = [f"all-{i}" for i in range(N_HOSTS)]
    for name in names:
        eventually(lambda name=name: client.call(
            "snc.slice_create", op_id=name, goal="RUNNING", document=document(name, 1, CPUS, 1)) and None)
    eventually(lambda: next((f"I3 room has leaked: {slice_}" for slice_ in list_slices(client).values()
                             if slice_["state"] != "RUNNING" or slice_["progress"]), None))
