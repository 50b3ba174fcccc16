"""A name server that changes its mind: a process of its own, on loopback, over UDP.

``python name_server.py ANSWERS LOG``: ANSWERS is a JSON object of host → list of answers, each a
list of addresses, given in turn; the last one is repeated, and an empty list is no answer at all.
Every question becomes a line of LOG. The port is printed.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset


def main() -> None:
    """Answer until killed."""
    script = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    log = Path(sys.argv[2])
    asked: Counter[str] = Counter()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
    while True:
        wire, client = server.recvfrom(4096)
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        with log.open("a") as lines:
            lines.write(f"{kind} {name}\n")
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if kind == "A" and name in script:
            number = asked[name]
            asked[name] += 1
            addresses = script[name][min(number, len(script[name]) - 1)]
            if not addresses:
                continue  # says nothing, and lets them wait
            response.answer.append(dns.rrset.from_text(question.name, 0, "IN", "A", *addresses))
        server.sendto(response.to_wire(), client)


if __name__ == "__main__":
    main()
