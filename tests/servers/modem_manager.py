"""ModemManager as far as USSD needs it: a template for python-dbusmock.

Parameters: {"world": FILE}. The file holds JSON: {"modems": [{"iccid", "ussd", "state", "time", "answers",
"replies", "messages", "send", "reports"}]}. Answers
stand by the code or reply that they answer, in "*" for any other: {"text", "state"}, {"error", "text"} or {"silent": true};
"messages" beside them come as texts: {"number", "text", "state"}. A message that is still being received is whole when the
list was asked for once more.
"send" is {"error", "text"} where a modem sends no texts, {"create": ...} where it does not even take them, or {"unknown":
[...]} for properties that it does not know; the network calls each text by "reference". "reports" are the status reports that
came by now: {"number", "reference", "state", "time"}.
The file is read again at each call. Each call becomes a line in FILE.calls. Prints `READY` when everything is there.
"""

import datetime
import json
import os
import signal

import dbus

BUS_NAME = "org.freedesktop.ModemManager1"
MAIN_OBJ = "/org/freedesktop/ModemManager1"
SYSTEM_BUS = True
IS_OBJECT_MANAGER = True

MODEM = "org.freedesktop.ModemManager1.Modem"
SIM = "org.freedesktop.ModemManager1.Sim"
MESSAGING = "org.freedesktop.ModemManager1.Modem.Messaging"
TIME = "org.freedesktop.ModemManager1.Modem.Time"
SMS = "org.freedesktop.ModemManager1.Sms"
USSD = "org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd"
ERRORS = "org.freedesktop.ModemManager1.Error."
IDLE = 1
RECEIVING = 2
RECEIVED = 3
SENT = 5
DELIVER = 1
SUBMIT = 2
STATUS_REPORT = 3
STATE_UNKNOWN = 0x100
RELATIVE = 1


def load(mock, parameters):
    path = parameters["world"]
    for number, modem in enumerate(world(path)["modems"]):
        add(mock, path, number, modem)
    print("READY", flush=True)


def world(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def add(mock, path, number, modem):
    sim = f"{MAIN_OBJ}/SIM/{number}" if modem.get("iccid") else "/"
    if modem.get("iccid"):
        mock.AddObject(sim, SIM, {"SimIdentifier": dbus.String(modem["iccid"])}, [])
    place = f"{MAIN_OBJ}/Modem/{number}"
    mock.AddObject(place, MODEM, {"Sim": dbus.ObjectPath(sim)}, [])
    if not modem.get("ussd", True):
        return
    here = mock_object(place)
    here.AddProperties(USSD, {"State": dbus.UInt32(modem.get("state", IDLE))})

    def note(line):
        with open(path + ".calls", "a", encoding="utf-8") as file:
            file.write(f"{number} {line}\n")

    def move(state):
        here.UpdateProperties(USSD, {"State": dbus.UInt32(state)})

    def answer(kind, text):
        answers = world(path)["modems"][number].get(kind, {})
        found = answers.get(text, answers.get("*"))
        if found is None:
            raise failure("Core.Failed", "no such code")
        if found.get("silent"):
            os.kill(os.getpid(), signal.SIGSTOP)
        for message in found.get("messages", []):
            receive(message)
        if "error" in found:
            raise failure(found["error"], found.get("text", "refused"))
        move(found.get("state", IDLE))
        return found["text"]

    held = []
    for message in modem.get("messages", []):
        held.append(message_object(mock, number, len(held), message))

    def receive(message):
        held.append(message_object(mock, number, len(held), message))

    def report(told):
        reported.append(told)
        said = {"state": RECEIVED, "number": told["number"], "text": "", "kind": STATUS_REPORT}
        made = message_object(mock, number, len(held), said)
        held.append(made)
        further = {
            "MessageReference": dbus.UInt32(told["reference"]),
            "DeliveryState": dbus.UInt32(told["state"]),
            "Timestamp": dbus.String(told["time"]),
        }
        mock_object(made).UpdateProperties(SMS, further)

    def listed(_):
        for told in world(path)["modems"][number].get("reports", []):
            if told not in reported:
                report(told)
        places = [dbus.ObjectPath(place) for place in held if place]
        for place in places:
            message = mock_object(place)
            if message.Get(SMS, "State") == RECEIVING and place in seen:
                message.UpdateProperties(SMS, {"State": dbus.UInt32(RECEIVED)})
            seen.add(place)
        return places

    def delete(_, path):
        note(f"Delete {held.index(path)}")
        held[held.index(path)] = None

    def refuse(told):
        if "error" in told:
            raise failure(told["error"], told.get("text", "refused"))

    def create(_, properties):
        note(f"Create {properties['number']} {properties['text']}{further(properties)}")
        told = world(path)["modems"][number].get("send", {})
        refuse(told.get("create", {}))
        for name in told.get("unknown", []):
            if name in properties:
                raise failure("Core.InvalidArgs", f"Invalid properties dictionary, unexpected key '{name}'")
        made = message_object(mock, number, len(held), {**properties, "state": 0, "kind": SUBMIT})
        held.append(made)
        mock_object(made).AddMethod(SMS, "Send", "", "", lambda _: send(made))
        return dbus.ObjectPath(made)

    def send(made):
        note(f"Send {held.index(made)}")
        told = world(path)["modems"][number].get("send", {})
        refuse(told)
        known = {"State": dbus.UInt32(SENT), "MessageReference": dbus.UInt32(told.get("reference", 0))}
        mock_object(made).UpdateProperties(SMS, known)

    def network_time(_):
        told = world(path)["modems"][number].get("time")
        if told is None:
            raise failure("Core.Unsupported", "Cannot load network time")
        now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=2)))
        return now.isoformat(timespec="seconds") if told == "now" else told

    seen = set()
    reported = []
    # An interface is listed only once it has properties.
    here.AddProperties(MESSAGING, {"DefaultStorage": dbus.UInt32(1)})
    here.AddMethod(TIME, "GetNetworkTime", "", "s", network_time)
    here.AddMethod(MESSAGING, "List", "", "ao", listed)
    here.AddMethod(MESSAGING, "Create", "a{sv}", "o", create)
    here.AddMethod(MESSAGING, "Delete", "o", "", delete)

    def initiate(_, code):
        note(f"Initiate {code}")
        if here.Get(USSD, "State") != IDLE:
            raise failure("Core.WrongState", "Cannot initiate USSD: a session is already active")
        return answer("answers", code)

    def respond(_, reply):
        note(f"Respond {reply}")
        if here.Get(USSD, "State") == IDLE:
            raise failure("Core.WrongState", "Cannot respond USSD: no active session")
        return answer("replies", reply)

    def cancel(_):
        note("Cancel")
        move(IDLE)

    here.AddMethod(USSD, "Initiate", "s", "s", initiate)
    here.AddMethod(USSD, "Respond", "s", "s", respond)
    here.AddMethod(USSD, "Cancel", "", "", cancel)


def message_object(mock, modem, number, message):
    path = f"{MAIN_OBJ}/SMS/{modem}_{number}"
    told = {
        "State": dbus.UInt32(message.get("state", RECEIVED)),
        "Number": dbus.String(message["number"]),
        "Text": dbus.String(message["text"]),
        "PduType": dbus.UInt32(message.get("kind", DELIVER)),
        "MessageReference": dbus.UInt32(0),
        "DeliveryState": dbus.UInt32(STATE_UNKNOWN),
        "Timestamp": dbus.String(""),
    }
    mock.AddObject(path, SMS, told, [])
    return path


def further(properties):
    """What is wanted of a text beside its number and its words. The real one reads types without looking at them."""
    wanted = ""
    if "validity" in properties:
        kind, minutes = properties["validity"]
        right = isinstance(kind, dbus.UInt32) and isinstance(minutes, dbus.UInt32) and minutes.variant_level == 1
        if kind != RELATIVE or not right:
            raise failure("Core.Failed", "validity is (uv), relative, in minutes")
        wanted += f" for {minutes} min"
    if "delivery-report-request" in properties:
        if not isinstance(properties["delivery-report-request"], dbus.Boolean):
            raise failure("Core.Failed", "delivery-report-request is a boolean")
        wanted += f" report {bool(properties['delivery-report-request'])}"
    return wanted


def mock_object(path):
    from dbusmock.mockobject import objects

    return objects[path]


def failure(name, text):
    whole = name if name.startswith("org.") else ERRORS + name
    return dbus.exceptions.DBusException(text, name=whole)
