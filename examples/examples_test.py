"""Runs the programs of one example, in a domain of their own, and checks what they print:

    examples_test.py EXAMPLE FOLDER_OF_ITS_PROGRAMS

Nothing here waits by sleeping: a program has said its word when its line has come, and is gone when
it has been waited for. Every wait ends after a minute.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading

PATIENCE = 60  # seconds; against hangs only


class Program:
    """A running program whose output is read line by line."""

    started = []

    def __init__(self, *arguments, user=None):
        Program.started.append(self)
        self.name = os.path.basename(arguments[0])
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, user=user,
                                      group=user, extra_groups=None if user is None else [])
        self.lines = []
        self.watchdog = threading.Timer(PATIENCE, self.child.kill)
        self.watchdog.start()

    def read_until(self, text):
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return
        raise AssertionError(f"{self.name} ended without {text!r}; it said {self.lines}")

    def kill(self):
        """Nothing happens if it has ended."""
        self.child.kill()
        self.child.wait()
        self.watchdog.cancel()

    def finish(self):
        """Its lines, after it has ended well."""
        self.lines += [line.rstrip("\n") for line in self.child.stdout]
        status = self.child.wait()
        self.watchdog.cancel()
        assert status == 0, f"{self.name} ended with {status}; it said {self.lines}"
        return self.lines


def expect(lines, *texts):
    """Each text stands in a line of its own, in this order."""
    rest = iter(lines)
    for text in texts:
        assert any(text in line for line in rest), f"no line of {text!r} (in order) in {lines}"


def numbers(lines):
    """Of lines `12: x = 34`: the pairs (12, 34)."""
    pairs = [line.split(": x = ") for line in lines if ": x = " in line]
    assert pairs, f"no values in {lines}"
    return [(int(number), float(x)) for number, x in pairs]


def rising(values):
    assert all(a < b for a, b in zip(values, values[1:])), f"not rising: {values}"


def latest_value(folder, domain):
    # The reader first: it waits for the writer.
    reader = Program(f"{folder}/reader")
    writer = Program(f"{folder}/writer", "5")
    expect(writer.finish(), "arrived with value 5")
    seen = numbers(reader.finish())
    rising([number for number, _ in seen])
    assert seen[-1] == (5, 5.0), seen

    # The reader last: the value outlived its writer.
    assert numbers(Program(f"{folder}/reader").finish()) == [(5, 5.0)]

    # A killed writer goes on where it was: values and their numbers only rise.
    os.environ["KITH_DOMAIN"] = f"{domain}/again"
    writer = Program(f"{folder}/writer", "1000000")
    reader = Program(f"{folder}/reader")
    for _ in range(3):
        reader.read_until(": x = ")
    writer.kill()
    goal = numbers(reader.lines)[-1][1] + 20
    expect(Program(f"{folder}/writer", str(goal)).finish(), "arrived with value")
    seen = numbers(reader.finish())
    rising([number for number, _ in seen])
    rising([x for _, x in seen])
    assert seen[-1][1] == goal, seen


def shared_memory(folder, domain):
    expect(Program(f"{folder}/producer").finish(), "created")
    expect(Program(f"{folder}/consumer").finish(), "value: 99", "removed")
    assert not os.listdir(domain), "the region was removed"

    consumer = Program(f"{folder}/consumer")  # waits for what is not there yet
    expect(Program(f"{folder}/producer").finish(), "created")
    lines = consumer.finish()
    expect(lines, "value: 99")
    rising([int(line.split(": ")[1]) for line in lines if line.startswith("value: ")])


def shared_region(folder, domain):
    lines = Program(f"{folder}/life_cycle").finish()
    assert len(lines) == 11 and all(line.endswith(": yes") for line in lines), lines
    assert not os.listdir(domain), "the last handle removed the last region"

    for end in ("kill", "finish"):
        watcher = Program(f"{folder}/watcher")
        holder = Program(f"{folder}/holder")
        holder.read_until("holding")
        watcher.read_until("watching")
        if end == "kill":
            holder.kill()
        else:
            holder.child.stdin.close()
            holder.finish()
        expect(watcher.finish(), "orphaned; the answer is still 42", "'answer'")


def named_objects(folder, domain):
    visitors = [Program(f"{folder}/visitor") for _ in range(4)]
    visits = []
    for visitor in visitors:
        lines = visitor.finish()
        expect(lines, "limits 1 to 9", "object ", "no object borders", "object 'visits'")
        visits.append(lines[0].split(",")[0])
    assert sorted(visits) == [f"visit {i}" for i in range(1, 5)], visits
    assert os.listdir(domain) == ["world"]


def plain_memory(folder, domain):
    name = f"/kith_example_{os.getpid()}"
    expect(Program(f"{folder}/plain_memory", name).finish(), "4096 bytes: a frame",
           "read-only one: 0", "after the removal: a frame", "a sealed frame, sealed: 1")


def passing_memory(folder, domain):
    path = f"{domain}/camera"
    viewers = [Program(f"{folder}/viewer", path)]  # waits for the camera
    camera = Program(f"{folder}/camera", path, "2")
    camera.read_until("sent")
    viewers.append(Program(f"{folder}/viewer", path))
    for viewer in viewers:
        expect(viewer.finish(), "sealed: 1", "first pixel: 20", "to write: ")
    expect(camera.finish(), f"user {os.geteuid()}")
    assert not os.listdir(domain), "the camera took its path away"


def who_is_there(folder, domain):
    others = os.path.join(os.path.dirname(folder), "latest_value")
    writer = Program(f"{others}/writer", "1000000")
    reader = Program(f"{others}/reader")
    reader.read_until(": x = ")
    lines = Program(f"{folder}/who_is_there").finish()
    expect(lines, "who_is_there (this one): alive", "pose: latest, in use")
    expect(lines, "writer: alive")
    expect(lines, "reader: alive")
    writer.kill()
    reader.kill()
    expect(Program(f"{folder}/who_is_there").finish(), "reaped at joining: 2",
           "pose: latest, not in use", "readers 0, leaked 0", "removed: 0")


def shared_with_guests(folder, domain):
    root = os.geteuid() == 0  # only root can make a passer-by of another user
    os.chmod(domain, 0o755)
    station = Program(f"{folder}/station", f"{domain}/weather")
    station.read_until("published value 1")
    # Where other users may not even reach the programs, there are none; what is run is a copy.
    copy = shutil.copy(f"{folder}/passer_by", f"{domain}/passer_by")
    passer_by = Program(copy, f"{domain}/weather", user=65534 if root else None)
    lines = passer_by.finish()
    expect(lines, "degrees: 21.5", f"may write: {'no' if root else 'latest '}")
    station.child.stdin.close()
    station.finish()


EXAMPLES = {run.__name__: run for run in (latest_value, shared_memory, shared_region,
                                          named_objects, plain_memory, passing_memory,
                                          who_is_there, shared_with_guests)}


def main(example, folder):
    domain = tempfile.mkdtemp(prefix="kith-example-", dir="/dev/shm")
    os.environ["KITH_DOMAIN"] = domain
    try:
        EXAMPLES[example](os.path.abspath(folder), domain)
    finally:
        for program in Program.started:
            program.kill()
        shutil.rmtree(domain)
    print(f"{example}: as it should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
