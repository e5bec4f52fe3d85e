"""What stands between daemons in a schedule of test/fault/real_faults.py: connections are passed on
byte by byte, and some of them meet a fault. What is in them is TLS, so a call cannot be doubled or
changed here: it, or its answer, is late, cut short or lost."""
import asyncio
import random
import threading

CHUNK = 65536
HOLD_S = 8.5  # longer than any daemon waits for a manager

# What happens to a chunk, per mille; else it passes.
FATES = (("late", 50), ("drop", 15), ("half", 8), ("short", 12), ("held", 1), ("unanswered", 20),
         ("astray", 30))
OF_ANSWERS, OF_REQUESTS = ("unanswered",), ("astray",)


class Link:
    """One address that is passed on to another one."""

    def __init__(self, name, address, target, seed):
        self.name, self.address, self.target = name, address, target
        self.random = random.Random(f"{seed} {name}")
        self.away = None  # or "refused", "silent"
        self.pairs = set()

    def fate(self, is_answer):
        dice = self.random.randrange(1000)
        for fate, width in FATES:
            if dice < width:
                return "pass" if fate in (OF_REQUESTS if is_answer else OF_ANSWERS) else fate
            dice -= width
        return "pass"


class Proxy:
    """All links, in a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.links = {}
        self.counts = {fate: 0 for fate, _ in FATES}
        self.is_calm = True
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def add(self, link):
        self.links[link.name] = link
        opened = asyncio.start_server(lambda r, w: self._serve(link, r, w), *link.address)
        asyncio.run_coroutine_threadsafe(opened, self.loop).result()

    def set_away(self, name, away):
        """From now on: None, "refused" or "silent"; what is connected is cut, or stays silent."""
        def change():
            link = self.links[name]
            link.away = away
            for pair in list(link.pairs) if away != "silent" else ():
                self._cut(pair)
        self.loop.call_soon_threadsafe(change)

    def calm(self):
        """No faults any more; what met one is cut."""
        self.is_calm = True
        for name in self.links:
            self.set_away(name, None)

    @staticmethod
    def _cut(pair):
        for writer in pair:
            writer.transport.abort()

    async def _serve(self, link, reader, writer):
        if link.away == "refused":
            writer.transport.abort()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection(*link.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, to_writer)
        link.pairs.add(pair)
        try:
            await asyncio.gather(self._pump(link, reader, to_writer, pair, False),
                                 self._pump(link, to_reader, writer, pair, True))
        except OSError:
            pass
        finally:
            self._cut(pair)
            link.pairs.discard(pair)

    async def _pump(self, link, reader, writer, pair, is_answer):
        while chunk := await reader.read(CHUNK):
            while link.away == "silent":
                await asyncio.sleep(0.02)
            fate = "pass" if self.is_calm else link.fate(is_answer)
            if fate != "pass":
                self.counts[fate] += 1
            if fate == "astray":  # who sent it is told that it failed, and it arrives all the same
                pair[0].transport.abort()
                await self._wait(link.random.uniform(0, 1.5))
            elif fate in ("late", "held"):
                await self._wait(link.random.uniform(0.01, 0.4) if fate == "late" else HOLD_S)
            elif fate == "half":
                break
            elif fate == "short":
                writer.write(chunk[:link.random.randrange(len(chunk))])
                await writer.drain()
            if fate in ("drop", "short", "unanswered"):
                self._cut(pair)
                return
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _wait(self, seconds):
        while seconds > 0 and not self.is_calm:
            await asyncio.sleep(min(seconds, 0.05))
            seconds -= 0.05
