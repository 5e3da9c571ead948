"""A channel layer that others may stand behind: to us it is one that reaches other processes."""

from channels.layers import BaseChannelLayer, InMemoryChannelLayer


class SharedLayer(BaseChannelLayer):
    """In memory, and not told from a real one."""

    def __init__(self, **options):
        super().__init__()
        self.inner = InMemoryChannelLayer()
        self.said = []

    async def new_channel(self, prefix="specific."):
        return await self.inner.new_channel(prefix)

    async def group_add(self, group, channel):
        await self.inner.group_add(group, channel)

    async def group_discard(self, group, channel):
        await self.inner.group_discard(group, channel)

    async def group_send(self, group, message):
        self.said.append(message)
        await self.inner.group_send(group, message)

    async def send(self, channel, message):
        await self.inner.send(channel, message)

    async def receive(self, channel):
        return await self.inner.receive(channel)
