"""A domain of real processes for test/fault/real_faults.py: sncd, and managers whose objects are
files (file_manager.c), in namespaces of their own, each daemon's database on a small disk of its own,
all connections through a proxy. And the client of its users."""
import ctypes
import errno
import http.client
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
import xmlrpc.client

from real_proxy import Link, Proxy

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
N_HOSTS = 2
CPUS, ENDS, SHARES = 4, 4, 2  # a host's CPUs and ends of links, the network's shares: little
CPUS_TOLD = 6  # to sncd, so that programmers, too, have to refuse
DISK_BYTES = 24 << 20  # thrice the ballast: a start needs two of it
SNCD, PROXIED_SNCD = ("127.0.0.1", 7701), ("127.3.0.1", 7701)
CALL_S = 6
CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_NODEV, MS_REC, MS_PRIVATE = 4, 0x4000, 0x40000
LIBC = ctypes.CDLL(None, use_errno=True)


def make_namespaces():
    """Of network, mounts and processes, for the next child: when it ends, all in them ends."""
    if LIBC.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def prepare_namespaces():
    mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def mount(source, target, kind, flags, data):
    if LIBC.mount(source, target, kind, flags, data):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def make_pki(folder, vnode):
    """Keys and certificates of all daemons and of a user: the same for all schedules."""
    def pki(*words):
        subprocess.run([vnode, "pki", *words], check=True, stdout=subprocess.DEVNULL)
    pki("init", f"{folder}/ca")
    for role, name, program in roles():
        os.mkdir(f"{folder}/{role}.{name}")
        os.symlink("../ca/ca.crt", f"{folder}/{role}.{name}/ca.crt")
        pki("issue", f"{folder}/ca", "--role", role, "--name", name, "--out",
            f"{folder}/{role}.{name}/{program}")


def roles():
    yield "snc", "ctl", "sncd"
    yield "noc", "noc1", "noc"
    yield "tnc", "ctl", "tncd"
    for i in range(N_HOSTS):
        yield "redirector", f"v{i + 1}", "redirectord"
        yield "programmer", f"v{i + 1}", "programmerd"


class Fault(Exception):
    """What a daemon answered that is no result."""

    def __init__(self, text):
        self.code = text.split(":")[0]
        super().__init__(text)


class Unanswered(Exception):
    """Nobody knows whether it was done."""


class Client:
    """Calls of one user, over a connection that is kept."""

    def __init__(self, pki, address=SNCD):
        self.address, self.connection = address, None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False  # the CA has no other sncd
        self.context.load_verify_locations(f"{pki}/ca/ca.crt")
        self.context.load_cert_chain(f"{pki}/noc.noc1/noc.crt", f"{pki}/noc.noc1/noc.key")

    def call(self, method, **args):
        body = xmlrpc.client.dumps((args,), method)
        try:
            if not self.connection:
                self.connection = http.client.HTTPSConnection(
                    *self.address, timeout=CALL_S, context=self.context)
            self.connection.request("POST", "/RPC2", body,
                                    {"Content-Type": "text/xml", "Host": "snc.ctl.vnode:7701"})
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Unanswered(f"HTTP {answer.status}")
            return xmlrpc.client.loads(text, use_builtin_types=True)[0][0]
        except xmlrpc.client.Fault as fault:
            raise Fault(fault.faultString) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(str(error)) from None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Daemon:
    """One process, that is started again whenever it ended."""

    def __init__(self, name, command, folder, points):
        self.name, self.command, self.folder, self.points = name, command, folder, points
        self.process, self.start_at, self.is_stopped, self.is_armed = None, 0, False, False
        self.disk = f"{folder}/disk"
        self.objects = f"{folder}/objects"
        os.mkdir(self.disk)
        mount(b"none", self.disk.encode(), b"tmpfs", MS_NODEV, f"size={DISK_BYTES}".encode())

    def start(self, crash=None):
        environment = dict(os.environ)
        environment.pop("VNODE_CRASH", None)
        self.is_armed = crash is not None
        if crash:
            environment["VNODE_CRASH"] = crash
        with open(f"{self.folder}/log", "a") as log:
            print(f"-- started {time.monotonic():.3f} {crash or ''}", file=log, flush=True)
            self.process = subprocess.Popen(self.command, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.is_stopped = False

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True

    def resume(self):
        if self.is_stopped:
            self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    def fill_disk(self):
        zeros = bytes(1 << 18)
        filler = os.open(f"{self.disk}/filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while os.write(filler, zeros):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        os.close(filler)

    def empty_disk(self):
        if os.path.exists(f"{self.disk}/filler"):
            os.unlink(f"{self.disk}/filler")


def fault_points(*words):
    """Names of the places at which a daemon dies on demand, from its sources."""
    found = subprocess.run(["grep", "-rhoE", r'FAULT_POINT\("[^"]+"\)', *words], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout
    return sorted({line.split('"')[1] for line in found.splitlines()})


class Domain:
    """All of one schedule; made inside the namespaces."""

    def __init__(self, folder, pki, build, binaries, seed):
        self.folder, self.pki = folder, pki
        self.build, self.binaries = build, binaries
        self.random = random.Random(f"{seed} domain")
        self.proxy = Proxy()
        self.daemons = {}
        self.vanished = set()  # (manager, rid) of objects that were taken away
        manager_points = fault_points("lib/engine/manager_loop.c", "lib/engine/manager_verb.c",
                                      "lib/engine/manager_keep.c", "lib/store",
                                      "test/support/world.c")
        self._add_sncd(fault_points("snc", "lib/store", "lib/engine", "--exclude=manager*"))
        self._add_link("user", PROXIED_SNCD, SNCD, seed)
        self._add_link("hello", ("127.3.0.2", 7701), SNCD, seed)
        self._add_manager("tnc", "ctl", SHARES, ("127.0.0.1", 7702), ("127.2.0.1", 7702),
                          manager_points, seed)
        for i in range(N_HOSTS):
            for role, capacity, port in ("redirector", ENDS, 7703), ("programmer", CPUS, 7704):
                self._add_manager(role, f"v{i + 1}", capacity, (f"127.1.0.{i + 1}", port),
                                  (f"127.2.1.{i + 1}", port), manager_points, seed)

    def managers(self):
        return [daemon for name, daemon in self.daemons.items() if name != "sncd"]

    def _add_link(self, name, address, target, seed):
        self.proxy.add(Link(name, address, target, seed))

    def _program(self, name):
        chosen = os.path.join(self.binaries, name) if self.binaries else ""
        if os.path.exists(chosen):
            return chosen
        return f"{self.build}/{'bin' if name == 'sncd' else 'test'}/{name}"

    def _add_sncd(self, points):
        folder = f"{self.folder}/sncd"
        os.mkdir(folder)
        hosts = "".join(f'<host name="v{i + 1}" kind="vnode" address="127.1.0.{i + 1}"/>'
                        for i in range(N_HOSTS))
        with open(f"{folder}/substrate.xml", "w") as file:
            file.write(f'<substrate version="1.0">{hosts}</substrate>\n')
        with open(f"{folder}/conf", "w") as file:
            file.write(f"[daemon]\nname=ctl\nlisten=127.0.0.1:7701\nsocket=none\n"
                       f"pki={self.pki}/snc.ctl\nstate={folder}/disk\nlog=info\n[snc]\n"
                       f"substrate={folder}/substrate.xml\ntnc=127.0.0.1:7702\n")
        self.daemons["sncd"] = Daemon(
            "sncd", [self._program("sncd"), "--config", f"{folder}/conf"], folder, points)

    def _add_manager(self, role, host, capacity, address, target, points, seed):
        name = f"{role}@{host}"
        folder = f"{self.folder}/{name}"
        os.mkdir(folder)
        with open(f"{folder}/conf", "w") as file:
            file.write(f"[daemon]\nname={host}\nlisten={target[0]}:{target[1]}\nsocket=none\n"
                       f"pki={self.pki}/{role}.{host}\nstate={folder}/disk\nlog=info\n"
                       f"controller=snc@ctl 127.3.0.2:7701\n")
        self.daemons[name] = Daemon(
            name, [self._program("file_manager"), role, f"{folder}/objects", str(capacity),
                   str(CPUS_TOLD), str(N_HOSTS), "--config", f"{folder}/conf"], folder, points)
        self._add_link(name, address, target, seed)

    def objects_of(self, slice_id):
        """Texts of all that stands of a slice."""
        found = []
        for daemon in self.managers():
            for name in os.listdir(daemon.objects):
                try:
                    with open(f"{daemon.objects}/{name}") as file:
                        text = file.read()
                except FileNotFoundError:
                    continue  # it went meanwhile
                if f"\nslice={slice_id}\n" in text and not name.startswith("."):
                    found.append(text)
        return found

    def client(self, address=SNCD):
        return Client(self.pki, address)

    def keep(self, folder):
        """What there is to be looked at afterwards; the disks vanish with the namespace."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("filler", "*.ballast"))
