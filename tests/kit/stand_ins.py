"""Stand-ins for the programs of the kit: a few lines of Python that listen, die, or refuse to stop."""

from __future__ import annotations

import sys

from kit.programs import Program
from kit.settings import Settings

LISTENS = """
import http.server, json, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
    def log_message(self, *ignored): pass
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
DIES = "import sys; print('no database'); sys.exit(3)"
HAS_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def listening(name: str, port: int, environment: dict[str, str] | None = None) -> Program:
    """A program that answers every GET with its environment."""
    return Program(name, (sys.executable, "-c", LISTENS, str(port)), environment or {}, port, stop_s=2)


def script(name: str, text: str) -> Program:
    return Program(name, (sys.executable, "-c", text), stop_s=1)


def web_and_search(settings: Settings) -> tuple[Program, ...]:
    return (listening("web", settings.port), listening("search", settings.search_port))
