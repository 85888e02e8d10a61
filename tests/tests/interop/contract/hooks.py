"""What JSON Schema takes for the same and this interface does not."""

import schemathesis


def whole(value):
    # To JSON Schema 215.0 is an integer. Here an amount with a decimal point is refused and named: where
    # a float slipped in, the next one may be 214.99999999999997.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    return value


@schemathesis.hook
def map_body(context, body):
    return whole(body)
