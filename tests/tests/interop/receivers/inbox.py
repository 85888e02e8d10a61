"""The inbox of the receiver for Python with work that fails, and with work that takes its time.
Says as JSON what it answered and how often it worked."""

import importlib.util
import json
import sys
import threading
import time

spec = importlib.util.spec_from_file_location("receive", sys.argv[1])
receive = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(receive)
event = {"type": "x", "data": {"sequence": 1, "payment": {"id": "pay_1"}}}
worked = []
is_busy = True


def work(webhook_id, _):
    time.sleep(0.05)
    worked.append(webhook_id)
    if is_busy:
        raise ValueError("busy")


inbox = receive.Inbox(work)
try:
    failed = inbox.take("evt_1", event)
except ValueError as error:
    failed = str(error)
is_busy = False
together = {}


def take(place, webhook_id):
    together[place] = inbox.take(webhook_id, event)


threads = [threading.Thread(target=take, args=each) for each in enumerate(["evt_1", "evt_1", "evt_2"])]
for thread in threads:
    thread.start()
    time.sleep(0.01)
for thread in threads:
    thread.join()
print(json.dumps([failed, [together[place] for place in range(3)], worked]))
