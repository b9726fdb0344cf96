"""A scripted trainer in a real child process: what it does are its arguments.

`train` tells some steps and leaves an adapter; `die N` kills itself until it was started N times;
`fail CODE` fails; `linger` trains until it is told otherwise. With `finishing` before it, that is
what the second training of a run does, and the first one trains. Each start adds a line to `starts`
in the training's folder, each request but the first one to `heard`.
"""

import os
import signal
import sys
import time
from pathlib import Path

from chatdesk.core.personalization import LossPoint
from chatdesk.core.protocol import Cancel, Shutdown
from chatdesk.core.training import (
    ADAPTER_FILE,
    PEFT_FOLDER,
    PauseTraining,
    ResumeTraining,
    Train,
    Trained,
    TrainerEvent,
    TrainerReady,
    TrainerRequest,
    TrainingFailed,
    TrainingFailure,
    TrainingProgress,
    TrainingStopped,
)
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec

STEPS = 3


def tell(event: TrainerEvent) -> None:
    sys.stdout.buffer.write(Codec.encode(event))
    sys.stdout.buffer.flush()


def note(file: Path, line: str) -> int:
    with file.open("a") as notes:
        notes.write(f"{line}\n")
    return len(file.read_text().splitlines())


def main() -> None:
    codec = Codec[TrainerRequest]([Train, PauseTraining, ResumeTraining, Cancel, Shutdown])
    tell(TrainerReady(PROTOCOL_VERSION, "none"))
    request = codec.decode(sys.stdin.buffer.readline())
    assert isinstance(request, Train)
    folder = Path(request.folder)
    starts = note(folder / "starts", "start")
    mode, *rest = sys.argv[1:]
    if mode == "finishing":
        mode, *rest = rest if request.begin_with else ["train"]
    points = tuple(LossPoint(step, 3.0 / (step + 1), 3.1 / (step + 1)) for step in range(STEPS))
    for point in points:
        told = (request.request_id, point.step + 1, STEPS, 100 * point.step, 50.0, 1.0, 2.0, 1000)
        tell(TrainingProgress(*told, point))
    if mode == "die" and starts <= int(rest[0]):
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "fail":
        tell(TrainingFailed(request.request_id, TrainingFailure(rest[0]), "a detail"))
        time.sleep(60)
    if mode == "linger":
        for line in sys.stdin.buffer:
            heard = codec.decode(line)
            note(folder / "heard", type(heard).__name__)
            if isinstance(heard, Cancel):
                tell(TrainingStopped(request.request_id))
    (folder / ADAPTER_FILE).write_bytes(b"more" if request.begin_with else b"GGUF")
    (folder / PEFT_FOLDER).mkdir(exist_ok=True)
    (folder / PEFT_FOLDER / "weights").write_bytes(b"more" if request.begin_with else b"some")
    tell(Trained(request.request_id, STEPS, 2, 300, 50.0, 6.0, 2000, points))
    sys.stdin.buffer.readline()


main()
