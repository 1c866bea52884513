"""OpenTAXII 0.9.3 with two defects of the release on PyPI repaired, so that it
can be spoken to at all: it answers a POST with 500 because it cannot encode the
id of its own job, and it serves every object with its type as spec_version.
"""

import json
import sys

from opentaxii.taxii2 import entities
from opentaxii.taxii2 import http as taxii2_http

plain_init = entities.STIXObject.__init__


def init(self, *args, **kwargs):
    plain_init(self, *args, **kwargs)
    self.serialized_data = {"spec_version": self.spec_version, **self.serialized_data}


entities.STIXObject.__init__ = init


class Encoder(json.JSONEncoder):
    def default(self, o):
        return str(o)


class Json:
    dumps = staticmethod(lambda data: json.dumps(data, cls=Encoder))


taxii2_http.json = Json

from opentaxii.cli import app  # noqa: E402  it reads its configuration on import

app.run(port=int(sys.argv[1]), threaded=False, debug=False, use_reloader=False)
