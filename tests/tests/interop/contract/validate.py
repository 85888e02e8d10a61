"""Says of each contract whether openapi-spec-validator finds it valid."""

import json
import sys

from openapi_spec_validator import validate

for line in sys.stdin:
    question = json.loads(line)
    with open(question["file"], encoding="utf-8") as file:
        contract = json.load(file)
    try:
        validate(contract)
        answer = {"ok": True}
    except Exception as error:
        answer = {"refused": f"{type(error).__name__}: {error}"[:2000]}
    print(json.dumps(answer), flush=True)
