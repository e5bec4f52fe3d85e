#!/usr/bin/env python3
"""A guest's network card without any off-load: frames of the tap PORT in one network namespace are
those of the tap DEVICE in another, as QEMU would carry them.

Usage: tap_relay.py HOST-NETNS PORT GUEST-NETNS DEVICE
Prints "ready" when both are there; runs until it is killed.
"""
import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 2, 0x1000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def tap(netns, name):
    namespace = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    if libc.setns(namespace, CLONE_NEWNET):
        sys.exit(f"cannot enter {netns}: {os.strerror(ctypes.get_errno())}")
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


port, device = tap(sys.argv[1], sys.argv[2]), tap(sys.argv[3], sys.argv[4])
print("ready", flush=True)
while True:
    for ready in select.select([port, device], [], [])[0]:
        frame = os.read(ready, 70000)
        try:
            os.write(device if ready == port else port, frame)
        except OSError:
            pass  # the other end is down: a cable that is not plugged in
