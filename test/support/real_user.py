"""A user of test/fault/real_faults.py: creates, changes and deletes slices at random, keeps what was
answered, and knows what may follow from it."""
import random
import threading
import time

from real_domain import PROXIED_SNCD, Fault, Unanswered

# Codes that do not say whether it was, or will be, done.
OPEN = {"unavailable", "internal", "timeout", "wait", "busy"}
LAST_S = 150  # for the calls that are made again when all faults are over


def document(name, n_nodes, cpu, rate_mbps):
    """Nodes in a row, each linked with the next one; wherever there is room."""
    nodes, links, binds = "", "", ""
    for i in range(n_nodes):
        nodes += (f'<nodeSliver name="n{i}"><instance type="prog" subtype="SlowPath_VM"><resources>'
                  f'<resource key="cpu" value="{cpu}"/><resource key="memory" value="64MiB"/></resources>'
                  f'<params><param key="bootImage" value="image:container-minimal"/></params></instance>'
                  f'<vports><vport name="p0"/><vport name="p1"/></vports></nodeSliver>\n')
    for i in range(n_nodes - 1):
        links += (f'<linkSliver name="l{i}" type="link" subtype="GRE"><vports><vport name="e0"/>'
                  f'<vport name="e1"/></vports><resources><resource key="bandwidth" '
                  f'value="{rate_mbps}Mbps"/></resources></linkSliver>\n')
        binds += (f'<bind name="a{i}"><vport slivername="n{i}" portname="p1"/>'
                  f'<vport slivername="l{i}" portname="e0"/></bind>\n'
                  f'<bind name="b{i}"><vport slivername="l{i}" portname="e1"/>'
                  f'<vport slivername="n{i + 1}" portname="p0"/></bind>\n')
    return (f'<slice-design version="1.0"><slicespec name="{name}"><sliverdef><linkSlivers>\n{links}'
            f'</linkSlivers><nodeSlivers>\n{nodes}</nodeSlivers></sliverdef><structure>\n{binds}'
            f'</structure></slicespec></slice-design>\n').encode()


class Slice:
    """One slice, and what its user was told of it."""

    def __init__(self, name, dice):
        self.name = name
        self.goal = "RUNNING" if dice.randrange(4) else "RESERVED"
        self.shape = (1 + dice.randrange(3), 1 + dice.randrange(2), 1 + dice.randrange(3))
        self.document = document(name, *self.shape)
        self.documents = {self.document}  # all that may be in force
        self.id = None
        self.is_created = False  # accepted
        self.is_refused = False  # the last word on its creation
        self.n_unanswered = 0    # creations: one may still come about
        self.is_delete_sent = self.is_deleted = False  # perhaps; accepted
        self.is_goal_moved = False  # it was told to run or to stop
        self.is_modified = False
        self.was_running = self.was_gone = False

    def is_over(self):
        return self.was_gone or (self.is_refused and not self.is_created)


class User(threading.Thread):
    """One after the other, so that every answer has its place."""

    def __init__(self, domain, index, n_slots, seed):
        super().__init__(daemon=True)
        self.domain = domain
        self.client = domain.client(PROXIED_SNCD)
        self.dice = random.Random(f"{seed} user {index}")
        self.index, self.n_made = index, 0
        self.slices = []  # all there ever were
        self.slots = [None] * n_slots
        self.violations = []
        self.counts = {}
        self.is_ending = threading.Event()

    def run(self):
        try:
            while not self.is_ending.wait(self.dice.uniform(0, 0.1)):
                self._act(self.dice.randrange(len(self.slots)))
        except Exception as error:  # a user that died would see nothing wrong any more
            self.violations.append(f"the user died: {error!r}")
        self.client.close()

    def _violated(self, what, slice_):
        self.violations.append(f"{what}: {slice_.name} {slice_.id}")

    def _call(self, method, **args):
        """The answer, or None; and the code of a refusal, "?" when nothing is known."""
        what = method
        try:
            answer, code = self.client.call(f"snc.{method}", **args), ""
        except Fault as fault:
            answer, code = None, "?" if fault.code in OPEN else fault.code
            what = f"{method} {fault.code}"
        except Unanswered:
            answer, code = None, "?"
            what = f"{method} unanswered"
        self.counts[what] = self.counts.get(what, 0) + 1
        return answer, code

    def _act(self, index):
        slice_ = self.slots[index]
        if not slice_ or slice_.is_over():
            self.n_made += 1
            slice_ = Slice(f"s{self.index}-{index}-{self.n_made}", self.dice)
            self.slots[index] = slice_
            self.slices.append(slice_)
            self.create(slice_)
        elif not slice_.is_created:
            self.create(slice_)
        else:
            is_awaited = slice_.goal == "RUNNING" and not slice_.was_running
            dice = self.dice.randrange(25 if is_awaited else 10)
            if slice_.is_delete_sent and not slice_.is_deleted and dice < 5:
                self.delete(slice_)
            elif dice < 2 and not slice_.is_delete_sent:
                self.delete(slice_)
            elif dice < 5 and not slice_.is_delete_sent:
                self._modify(slice_)
            elif dice == 5 and not slice_.is_delete_sent:
                self._run_or_stop(slice_)
            else:
                self._look(slice_)

    def create(self, slice_):
        answer, code = self._call("slice_create", document=slice_.document, goal=slice_.goal,
                                  op_id=f"op-{slice_.name}")
        if answer:
            if slice_.id not in (None, answer["id"]) or answer["name"] != slice_.name:
                self._violated(f"I5 one operation made two slices, the other one is {answer}", slice_)
            slice_.id, slice_.is_created = answer["id"], True
        elif code == "?":
            slice_.n_unanswered += 1
        else:
            if code == "S11":
                self._violated("I5 a slice that nobody was told of has the name", slice_)
            slice_.is_refused = True

    def delete(self, slice_):
        slice_.is_delete_sent = True
        _, code = self._call("slice_delete", slice=slice_.name)
        if code in ("", "not_found"):
            slice_.is_deleted = True
            if code:
                self.learn(slice_, None)

    def _modify(self, slice_):
        shape = (1 + self.dice.randrange(3), slice_.shape[1], 1 + self.dice.randrange(3))
        wanted = document(slice_.name, *shape)
        slice_.documents.add(wanted)
        slice_.is_modified = True
        self._call("slice_modify", slice=slice_.name, document=wanted, plan=False,
                   restart=bool(self.dice.randrange(2)))

    def _run_or_stop(self, slice_):
        slice_.is_goal_moved = True
        self._call("slice_run" if self.dice.randrange(2) else "slice_stop", slice=slice_.name)

    def _look(self, slice_):
        answer, code = self._call("slice_show", slice=slice_.name)
        if code not in ("", "not_found"):
            return
        self.learn(slice_, answer["slices"][0] if answer else None)
        if answer:
            self._look_at_parts(slice_, answer["slices"][0])

    def learn(self, slice_, seen):
        """What sncd says of a slice, None when there is none, must follow from what it said before."""
        if not seen:
            if not slice_.is_delete_sent:
                self._violated("what was accepted is lost", slice_)
            if slice_.id and not slice_.was_gone and self.domain.objects_of(slice_.id):
                self._violated("I3 it is said to be gone, and parts of it stand", slice_)
            slice_.was_gone = True
            return
        if slice_.was_gone:
            self._violated("I7 what was gone is back", slice_)
        if slice_.id not in (None, seen["id"]):
            self._violated("I5 another slice has the name", slice_)
        if slice_.was_running and not slice_.is_delete_sent and not slice_.is_goal_moved and \
                seen["state"] not in ("RUNNING", "MODIFYING"):
            self._violated(f"I2 it ran, and is {seen['state']} ({seen['reason']})", slice_)
        slice_.was_running |= seen["state"] == "RUNNING" and not seen["progress"]

    def _look_at_parts(self, slice_, seen):
        """It is said to run as it was made: then all of it is there, but for what was taken away."""
        if seen["state"] != "RUNNING" or seen["progress"] or seen["degraded"] or \
                slice_.is_modified or slice_.is_goal_moved or slice_.is_delete_sent:
            return
        n_taken = len(self.domain.vanished)
        wanted = seen["n_nodes"] + 2 * seen["n_links"]
        found = sum("share" not in text.split("\n")[1] for text in self.domain.objects_of(slice_.id))
        if found + len(self.domain.vanished) < wanted and n_taken == len(self.domain.vanished):
            self._violated(f"I2 it is said to run, with {found} of {wanted} objects", slice_)

    def settle(self, client, pause):
        """All faults are over: what has no answer yet gets one; pause() lets a moment pass."""
        self.client = client
        until = time.monotonic() + LAST_S
        for slice_ in self.slices:
            while not slice_.is_over() and (not slice_.is_created or
                                            slice_.is_delete_sent and not slice_.is_deleted):
                (self.delete if slice_.is_created else self.create)(slice_)
                if time.monotonic() > until:
                    self._violated("sncd gives no answer", slice_)
                    return
                pause()
