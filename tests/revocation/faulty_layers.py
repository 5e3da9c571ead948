"""Channel layers that misbehave. The library takes each for one that reaches other processes."""

import asyncio

from channels.layers import InMemoryChannelLayer

__all__ = ["Failing", "Gone", "Hanging", "OfOneLoop", "Shared"]


class Shared:
    """In memory, for all of its class: as if other processes stood behind it."""

    inner = InMemoryChannelLayer()
    channels = 0

    def __init__(self, **options):
        pass

    async def new_channel(self, prefix="specific."):
        type(self).channels += 1
        return await self.inner.new_channel(prefix)

    async def group_add(self, group, channel):
        await self.inner.group_add(group, channel)

    async def group_discard(self, group, channel):
        await self.inner.group_discard(group, channel)

    async def group_send(self, group, message):
        await self.inner.group_send(group, message)

    async def send(self, channel, message):
        await self.inner.send(channel, message)

    async def receive(self, channel):
        return await self.inner.receive(channel)


class Hanging(Shared):
    """Takes who joins first, and then answers nothing any more."""

    joined = 0

    async def group_add(self, group, channel):
        type(self).joined += 1
        if self.joined > 1:
            await asyncio.Event().wait()
        await super().group_add(group, channel)


class Failing(Shared):
    """Loses its connection at the first two receives."""

    failures = 0

    async def receive(self, channel):
        if self.failures < 2:
            type(self).failures += 1
            raise ConnectionError
        return await super().receive(channel)


class Gone(Shared):
    """Cannot be reached at all."""

    async def new_channel(self, prefix="specific."):
        raise ConnectionError


class OfOneLoop(Shared):
    """Serves the event loop that comes first, and says when it is closed; as channels-redis'."""

    closed = 0

    def __init__(self, **options):
        self.loop = None

    async def receive(self, channel):
        loop = self.loop = self.loop or asyncio.get_running_loop()
        if loop is not asyncio.get_running_loop():
            raise RuntimeError("Two event loops receive on one channel layer at once.")
        return await super().receive(channel)

    async def close_pools(self):
        type(self).closed += 1


class Unbuildable(Shared):
    """Its configuration is wrong."""

    def __init__(self, **options):
        raise TypeError("an unexpected option")


class Raising(Shared):
    """Fails at every call."""

    async def _fail(self, *_):
        raise ConnectionError("connection refused")

    new_channel = group_add = group_discard = group_send = send = receive = _fail


class Silent(Shared):
    """Never comes back from a call."""

    async def _hang(self, *_):
        await asyncio.Event().wait()

    new_channel = group_add = group_discard = group_send = send = receive = _hang


class Cancelling(Shared):
    """Some clients of a service cancel whoever waits when their connection breaks."""

    async def _cancel(self, *_):
        raise asyncio.CancelledError

    new_channel = group_add = group_discard = group_send = send = receive = _cancel


class Synchronous(Shared):
    """Was written for another Channels: nothing that it returns can be awaited."""

    def _return(self, *_):
        return None

    new_channel = group_add = group_discard = group_send = send = receive = _return


class Forgetful(Shared):
    """Loses every direct message, and the first one that each group gets."""

    def __init__(self, **options):
        self.groups = set()

    async def group_send(self, group, message):
        if group in self.groups:
            await super().group_send(group, message)
        self.groups.add(group)

    async def send(self, channel, message):
        pass
