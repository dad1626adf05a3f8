"""gunicorn's access log without addresses, agents, query strings and tokens; off unless asked for."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from studyapp.log_tokens import masked

#: What the log format may ask for and this log does not tell: address, user, query, referrer, agent.
_PRIVATE = ("h", "u", "q", "f", "a")


class AccessLog(Logger):
    """Method, masked path, status, size and time of each request."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a line is made of."""
        atoms = super().atoms(resp, req, environ, request_time)
        hidden = {key: "-" for key in atoms if key in _PRIVATE or key.startswith("{")}
        path = masked(str(atoms["U"]))
        return {**atoms, **hidden, "U": path, "r": f"{atoms['m']} {path} {atoms['H']}"}
