"""Where distributions are reached: by their host names, and by a plain path for clients that can't resolve those.

{id}.cloudfront.localhost   {id}.cloudfront.net   the distribution's alternate domain names    (any port)
/_aws/cloudfront/{id}/…
"""

from __future__ import annotations

from ...context import Node
from ...net.messages import Request, Response, Tunnel, Upgrade
from . import answers
from .cdn import Cdn

PREFIX = "/_aws/cloudfront/"
DOMAINS = (".cloudfront.localhost", ".cloudfront.net")
NOBODY = "1.1 00000000000000000000000000000000.cloudfront.net (CloudFront)"


class CloudFrontEdge:
    paths = (PREFIX,)
    streams = True

    def __init__(self, node: Node) -> None:
        self._cdn: Cdn = node.runtimes["cloudfront"]

    def claims(self, host: str, path: str) -> bool:
        cdn = self._cdn
        return (
            host in cdn.hosts
            or path.startswith(PREFIX)
            or host.endswith(DOMAINS)
            or (bool(cdn.wild) and host.partition(".")[2] in cdn.wild)
        )

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel:
        path = request.path
        if path.startswith(PREFIX):
            id, slash, rest = path[len(PREFIX) :].partition("/")
            distribution = self._cdn.distributions.get(id.lower())
            path = slash + rest or "/"
        else:
            host = request.host.lower().partition(":")[0]
            distribution = self._cdn.hosts.get(host) or self._cdn.wild.get(host.partition(".")[2])
        if distribution is None:
            return answers.page(NOBODY, 403, "unknown")
        return await self._cdn.serve(distribution, request, path)
