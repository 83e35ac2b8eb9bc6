"""Fixtures: the program, the models with their reference vectors, and running servers.

The program is PACELINE_BIN, or built from this checkout. The tiny model of
testdata/ is always there; the real one is the folder in PACELINE_TEST_MODEL.
"""

import os
import pathlib
import subprocess

import pytest

from reference import Reference, real_reference, tiny_reference
from service import Service

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The clients under test must reach nothing but the servers started here.
os.environ |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", "LANGSMITH_TRACING": "false"}
for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):  # offline, huggingface_hub would not even speak to a server of ours
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def binary(tmp_path_factory) -> str:
    """The paceline program."""
    if given := os.environ.get("PACELINE_BIN"):
        return str(pathlib.Path(given).resolve())
    built = tmp_path_factory.mktemp("bin") / "paceline"
    subprocess.run(["go", "build", "-o", built, "./cmd/paceline"], cwd=ROOT, env=os.environ | {"CGO_ENABLED": "0"}, check=True)
    return str(built)


@pytest.fixture(scope="session")
def tiny() -> Reference:
    return tiny_reference(ROOT / "testdata")


@pytest.fixture(scope="session")
def real() -> Reference:
    folder = os.environ.get("PACELINE_TEST_MODEL")
    if not folder:
        pytest.skip("PACELINE_TEST_MODEL does not name a folder with all-MiniLM-L6-v2")
    return real_reference(ROOT / "testdata", pathlib.Path(folder))


@pytest.fixture(scope="session", params=["tiny", "real"])
def reference(request) -> Reference:
    """Each model whose vectors are known."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def start(binary, tmp_path_factory):
    """Starts servers: start(reference, profile, *flags). Equal calls share one."""
    running: dict[tuple, Service] = {}

    def get(reference: Reference, profile: str = "", *flags: str) -> Service:
        key = (reference.name, profile, *flags)
        if key not in running:
            log = tmp_path_factory.mktemp("serve") / "log"
            running[key] = Service(binary, reference.folder, profile, flags, log)
        return running[key]

    yield get
    faults = [fault for service in running.values() if (fault := service.stop())]
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def start_alone(binary, tmp_path_factory):
    """Starts a server that the test stops by itself."""
    started: list[Service] = []

    def get(reference: Reference, profile: str = "", *flags: str) -> Service:
        log = tmp_path_factory.mktemp("serve") / "log"
        started.append(Service(binary, reference.folder, profile, flags, log))
        return started[-1]

    yield get
    for service in started:
        service.kill()
