"""Serves one object by Pyro4 with one serializer, over TCP on loopback; the first line that it prints is its address."""
import sys

import Pyro4

Pyro4.config.SERIALIZERS_ACCEPTED = {sys.argv[1]}
Pyro4.config.SERVERTYPE = sys.argv[2]
Pyro4.config.THREADPOOL_SIZE = 64


@Pyro4.expose
@Pyro4.behavior(instance_mode="single")
class Adder:
    def add(self, a, b):
        return a + b

    def echo(self, wave):
        return wave

    def count(self, to):
        yield from range(to)


with Pyro4.Daemon(host="127.0.0.1", unixsocket=sys.argv[3] if len(sys.argv) > 3 else None) as daemon:
    print(daemon.register(Adder, "adder"), flush=True)
    daemon.requestLoop()
