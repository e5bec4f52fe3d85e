#!/usr/bin/env python3
"""How long until a ring of many containers on one host has carried a frame on every link?

Usage: bench/bringup.py [rounds=5] [nodes=100] [only=vnode,floor,mininet] [keep=no]

Three ways, in turn, ROUNDS times:
  vnode    `vnode slice create` through the real daemons: containers of container-minimal, links of
           50 Mbps over the shaper of the host
  floor    the same containers through libvirt alone, eight at a time (of programmerd's connection
           libvirtd serves five calls at once), their folders and mounts made before; then the same
           devices, classes and hooks by `ip -batch`, `tc -batch`
  mininet  hosts of Mininet (package mininet) in the same ring, TCLink of 50 Mbps
From the command to the first answer on every link: each node pings the next one every 100 ms until
it is answered, then makes a file whose time counts. Prints seconds and seconds of processor time
(all of the machine's but of niced work), medians, and the medians of the ratios of each round.
Makes two testbeds of profile solo and takes them down again. Needs `./testbed build`, root.
"""
import glob
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
STATE = "/var/lib/vnode-testbed"
HOST = "koganei"
OURS, BARE = "bringupa", "bringupb"
WORKERS = 8  # sessions of virsh
UIDS = 100000  # what container root is outside
RATE_MBPS = 50
OVERHEAD = 1556 / 1514
PING = "(ping -q -i 0.1 -w 300 -c 1 %s >/dev/null && : >%s) &"


def run(*words, **more):
    done = subprocess.run(words, text=True, capture_output=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def address(link, end):
    return f"10.{1 + link // 250}.{link % 250}.{end}"


def setup(node, nodes, done):
    """What a node runs: its two addresses, fast repetition of ARP, the ping to the next node; that
    outlives the start script, whose terminal ends with it."""
    before = (node - 1) % nodes
    return "; ".join([
        "trap '' HUP",
        f"ip addr add {address(before, 2)}/24 dev prev",
        f"ip addr add {address(node, 1)}/24 dev next",
        "ip ntable change name arp_cache dev next retrans 100 mcast_probes 9999",
        PING % (address(node, 2), done)])


def busy_seconds():
    """Processor time of the whole machine but that of niced work, which gives way."""
    with open("/proc/stat") as stat:
        times = [int(word) for word in stat.readline().split()[1:9]]
    return (sum(times) - times[1] - times[3] - times[4]) / os.sysconf("SC_CLK_TCK")


def wait_frames(pattern, nodes, limit_s=60):
    """The latest time at which a node has made its file."""
    until = time.time() + limit_s
    while time.time() < until:
        found = glob.glob(pattern)
        if len(found) == nodes:
            return max(os.stat(path).st_mtime for path in found)
        time.sleep(0.1)
    sys.exit(f"only {len(glob.glob(pattern))} of {nodes} links have carried a frame")


def measure(start, pattern, nodes):
    """Runs start(); returns seconds to the last first frame, processor seconds, seconds of start."""
    busy, began = busy_seconds(), time.time()
    start()
    returned = time.time()
    last = wait_frames(pattern, nodes)
    return last - began, busy_seconds() - busy, returned - began


class Vnode:
    """A testbed with the daemons, its slice document in a file."""

    def __init__(self, nodes, folder):
        self.nodes = nodes
        self.document = f"{folder}/ring.xml"
        self.environment = dict(os.environ, VNODE_TESTBED=OURS)
        with open(self.document, "w") as file:
            file.write(self.slice())
        testbed(OURS, "up", "--no-slice")

    def slice(self):
        links = "".join(f"""
   <linkSliver name="l{i}" type="link" subtype="GRE"><vports><vport name="a"/><vport name="b"/></vports>
    <resources><resource key="bandwidth" value="{RATE_MBPS}Mbps"/></resources></linkSliver>"""
                        for i in range(self.nodes))
        nodes = "".join(f"""
   <nodeSliver name="n{i}"><instance type="prog" subtype="SlowPath_VM">
    <resources><resource key="cpu" value="1"/><resource key="memory" value="64MiB"/></resources>
    <params><param key="bootImage" value="image:container-minimal"/>
     <param key="userData" value="{escaped(setup(i, self.nodes, '/first'))}"/></params></instance>
    <vports><vport name="prev"/><vport name="next"/></vports></nodeSliver>"""
                        for i in range(self.nodes))
        binds = "".join(f"""
   <bind name="b{i}a"><vport slivername="n{i}" portname="next"/><vport slivername="l{i}" portname="a"/></bind>
   <bind name="b{i}b"><vport slivername="l{i}" portname="b"/><vport slivername="n{(i + 1) % self.nodes}" portname="prev"/></bind>"""
                        for i in range(self.nodes))
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<slice-design version="1.0"><slicespec name="ring">
  <sliverdef><linkSlivers>{links}</linkSlivers><nodeSlivers>{nodes}</nodeSlivers></sliverdef>
  <structure>{binds}</structure></slicespec></slice-design>
"""

    def vnode(self, *words):
        return run(f"{ROOT}/vnode", *words, env=self.environment)

    def up(self):
        files = f"{STATE}/{OURS}/{HOST}/state/programmerd/nodes/*/upper/first"
        return measure(lambda: self.vnode("slice", "create", self.document), files, self.nodes)

    def down(self):
        self.vnode("slice", "delete", "ring", "--yes", "--wait")

    def close(self):
        testbed(OURS, "down")


class Floor:
    """A host without daemons: folders and files made before, all else by virsh, ip and tc."""

    def __init__(self, nodes, _):
        self.nodes = nodes
        testbed(BARE, "up", "--hosts-only")
        self.folder = f"{STATE}/{BARE}/{HOST}/state/floor"
        self.inside = "/var/lib/vnode/floor"
        os.makedirs(self.folder)
        run("cp", "-a", f"{ROOT}/build/images/container-minimal/rootfs", f"{self.folder}/image")
        run("chown", "-hR", f"{UIDS}:{UIDS}", f"{self.folder}/image")
        for name, text in self.batches().items():
            with open(f"{self.folder}/{name}", "w") as file:
                file.write(text)
        for i in range(nodes):
            self.node(i)

    def on_host(self, *words):
        return run(f"{ROOT}/testbed", "--name", BARE, "exec", HOST, "--", *words)

    def mac(self, node, port):
        return f"02:00:00:00:{node:02x}:0{port}"

    def device(self, node, port):
        return f"vnfloor{node:03}{port}"

    def node(self, i):
        folder = f"{self.folder}/{i}"
        os.makedirs(f"{folder}/vnode")
        for name in "root", "upper", "work":
            os.makedirs(f"{folder}/{name}")
        files = {
            "hostname": f"n{i}\n",
            "ports": f"{self.mac(i, 0)} prev 1500\n{self.mac(i, 1)} next 1500\n",
            "user-data": setup(i, self.nodes, "/first"),
        }
        for name, text in files.items():
            with open(f"{folder}/vnode/{name}", "w") as file:
                file.write(text)
        with open(f"{folder}/domain.xml", "w") as file:
            file.write(self.domain(i))
        run("chown", "-R", f"{UIDS}:{UIDS}", f"{folder}/vnode", f"{folder}/upper")

    def domain(self, i):
        """As programmer/domain_xml.c writes it."""
        ports = "".join(f"""
    <interface type='ethernet'><mac address='{self.mac(i, port)}'/>
     <target dev='{self.device(i, port)}'/><guest dev='{name}'/></interface>"""
                        for port, name in enumerate(("prev", "next")))
        ids = "".join(f"<{kind} start='0' target='{UIDS}' count='65536'/>" for kind in ("uid", "gid"))
        return f"""<domain type='lxc'>
  <name>floor-{i}</name><memory unit='KiB'>65536</memory><vcpu>1</vcpu>
  <cputune><shares>128</shares><period>100000</period><quota>100000</quota></cputune>
  <os><type>exe</type><init>/sbin/init</init></os><idmap>{ids}</idmap>
  <features><privnet/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <filesystem type='mount'><source dir='{self.inside}/{i}/root'/><target dir='/'/></filesystem>
    <filesystem type='mount'><source dir='{self.inside}/{i}/vnode'/><target dir='/vnode'/><readonly/></filesystem>
    <console type='pty'/>{ports}
  </devices>
</domain>
"""

    def batches(self):
        """The containers of each session of virsh; devices and classes by ip and tc."""
        n = self.nodes
        texts = {f"virsh{w}": "".join(f"create {self.inside}/{i}/domain.xml\n"
                                      for i in range(w, n, WORKERS)) for w in range(WORKERS)}
        texts["loop.ip"] = ("link add vnloop0 mtu 65535 type veth peer name vnloop1 mtu 65535\n"
                            "link set vnloop0 up\nlink set vnloop1 up\n")
        rate = f"{RATE_MBPS * OVERHEAD:.3f}mbit"
        lines = []
        for end in 0, 1:
            lines += [f"qdisc add dev vnloop{end} root handle 1: htb default 2",
                      f"qdisc add dev vnloop{end} clsact",
                      f"class add dev vnloop{end} parent 1: classid 1:1 htb rate 10gbit",
                      f"class add dev vnloop{end} parent 1:1 classid 1:10 htb rate {n * RATE_MBPS * OVERHEAD:.3f}mbit ceil 10gbit"]
            for i in range(n):
                lines += [f"class add dev vnloop{end} parent 1:10 classid 1:{0x100 + i:x} htb rate {rate} ceil {rate}",
                          f"qdisc add dev vnloop{end} parent 1:{0x100 + i:x} bfifo limit 192000"]
        texts["loop.tc"] = "\n".join(lines) + "\n"
        devices = [(self.device(i, 1), self.device((i + 1) % n, 0)) for i in range(n)]
        devices += [(b, a) for a, b in devices]
        texts["ports.ip"] = "".join(f"link set {a} mtu 1500 addrgenmode none up\n" for a, _ in devices)
        texts["ports.tc"] = "".join(
            f"qdisc add dev {a} clsact\nfilter add dev {a} ingress protocol all u32 match u32 0 0 "
            f"action mirred egress redirect dev {b}\n" for a, b in devices)
        return texts

    def prepare(self):
        """Roots as a node of ours has them, each empty."""
        self.on_host("sh", "-c", f"""cd {self.inside}
            for i in $(seq 0 {self.nodes - 1}); do
                umount $i/root 2>/dev/null; rm -rf $i/upper $i/work; mkdir $i/upper $i/work
                chown {UIDS}:{UIDS} $i/upper
                mount -t overlay overlay -o lowerdir=image,upperdir=$i/upper,workdir=$i/work $i/root
            done""")

    def up(self):
        self.prepare()
        script = f"""cd {self.inside}
            for w in $(seq 0 {WORKERS - 1}); do virsh -q -c lxc:/// <virsh$w >virsh$w.log 2>&1 & done
            ip -batch loop.ip && tc -batch loop.tc
            wait
            ip -batch ports.ip && tc -batch ports.tc"""
        return measure(lambda: self.on_host("sh", "-c", script), f"{self.folder}/*/upper/first",
                       self.nodes)

    def down(self):
        """By their first processes, as programmerd does: faster than libvirt by far."""
        self.on_host("sh", "-c", f"""ip link del vnloop0
            for i in $(seq 0 {self.nodes - 1}); do
                keeper=$(cat /run/libvirt/lxc/floor-$i.pid) || continue
                kill -9 $(cat /proc/$keeper/task/$keeper/children)
            done
            while virsh -q -c lxc:/// list --name | grep -q .; do sleep 0.1; done""")

    def close(self):
        testbed(BARE, "down")


class Mininet:
    """A program of its own, as Mininet's users write it; it stops when its input ends."""
    PROGRAM = """
import sys
from mininet.net import Mininet
from mininet.link import TCLink
nodes, folder, rate = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
setups = open(folder + "/setups").read().splitlines()
net = Mininet(controller=None, link=TCLink)
hosts = [net.addHost("h%d" % i, ip=None) for i in range(nodes)]
for i in range(nodes):
    net.addLink(hosts[i], hosts[(i + 1) % nodes], intfName1="next", intfName2="prev", bw=rate)
net.start()
for host, setup in zip(hosts, setups):
    host.cmd(setup)
print("up", flush=True)
sys.stdin.read()
net.stop()
"""

    def __init__(self, nodes, folder):
        self.nodes, self.folder, self.child = nodes, folder, None
        with open(f"{folder}/ring.py", "w") as file:
            file.write(self.PROGRAM)
        with open(f"{folder}/setups", "w") as file:
            file.writelines(setup(i, nodes, f"{folder}/first{i}") + "\n" for i in range(nodes))

    def start(self):
        words = ["/usr/bin/python3", f"{self.folder}/ring.py", str(self.nodes), self.folder, str(RATE_MBPS)]
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        if self.child.stdout.readline() != "up\n":
            sys.exit("Mininet does not come up; is the package mininet installed?")

    def up(self):
        return measure(self.start, f"{self.folder}/first*", self.nodes)

    def down(self):
        self.child.communicate()
        for path in glob.glob(f"{self.folder}/first*"):
            os.unlink(path)

    def close(self):
        pass


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def testbed(name, *words):
    return run(f"{ROOT}/testbed", "--name", name, "--profile", "solo", *words)


def report(results):
    medians = {}
    for name, rounds in results.items():
        medians[name] = [statistics.median(column) for column in zip(*rounds)]
        wall, busy, returned, down = medians[name]
        print(f"## {name}: {wall:.2f} s to the first frame on every link, {busy:.2f} s of processor "
              f"time; start returned after {returned:.2f} s, taken down in {down:.2f} s (medians)")
    for name in results:
        if name == "vnode" or "vnode" not in results:
            continue
        for column, what in enumerate(("time", "processor time")):
            ratio = statistics.median(a[column] / b[column]
                                      for a, b in zip(results["vnode"], results[name]))
            print(f"## vnode / {name}, {what}: {ratio:.3f}")


def main():
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    rounds, nodes = int(options.get("rounds", 5)), int(options.get("nodes", 100))
    kinds = {"vnode": Vnode, "floor": Floor, "mininet": Mininet}
    names = options.get("only", ",".join(kinds)).split(",")
    with tempfile.TemporaryDirectory(prefix="vnode-bringup-") as folder:
        ways = {}
        try:
            for name in names:
                ways[name] = kinds[name](nodes, folder)
            results = {name: [] for name in names}
            for i in range(rounds):
                for name, way in ways.items():
                    got = way.up()
                    began = time.time()
                    way.down()
                    results[name].append((*got, time.time() - began))
                    print(f"{i} {name} " + " ".join(f"{value:.3f}" for value in results[name][-1]),
                          flush=True)
            report(results)
        finally:
            if options.get("keep", "no") == "no":
                for way in ways.values():
                    way.close()


if __name__ == "__main__":
    main()
