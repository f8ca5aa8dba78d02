"""`python -m nlu_data.serve rasa run …`: Rasa's command line, with the token taken from the environment.

Rasa takes its token as an argument only, and every account of a machine can read the arguments of a process.
"""

import os
import sys

from rasa.__main__ import main

ENVIRONMENT = "RASA_SERVER_TOKEN"

if __name__ == "__main__":
    sys.argv = [*sys.argv[1:], f"--auth-token={os.environ.pop(ENVIRONMENT)}"]  # a token may begin with a dash
    main()
