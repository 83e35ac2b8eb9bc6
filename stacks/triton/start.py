"""Starts the Triton server that the nvidia-pytriton package brings, on the repository in models/.

What this script has no option for goes to the server as it is.
"""

import argparse
import os
import shutil
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path

SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
BUNDLE = SITE_PACKAGES / "pytriton" / "tritonserver"
REPOSITORY = Path(__file__).resolve().parent / "models"


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["torch", "onnx"], default="torch")
    parser.add_argument("--model", required=True, help="name or folder")
    parser.add_argument("--threads", default="0", help="of each instance; 0: the engine's own choice")
    parser.add_argument("--cache", required=True, type=Path, help="folder for the backend and exported models")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--http-port", default="8000")
    parser.add_argument("--grpc-port", default="8001")
    parser.add_argument("--metrics-port", default="8002")
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="another repository than models/")
    return parser.parse_known_args()


def backends(cache: Path) -> Path:
    """A copy of the Python backend beside the stub for this very Python: the server wants both in one folder.

    Another server may run from that folder already, so it is made aside and put in place as a whole, once.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = cache / f"backends-{version('nvidia-pytriton')}-python{python}"
    if not place.exists():
        aside = Path(tempfile.mkdtemp(dir=cache))
        shutil.copytree(BUNDLE / "backends", aside, dirs_exist_ok=True)
        stub = aside / "python" / "triton_python_backend_stub"
        shutil.copy2(BUNDLE / "python_backend_stubs" / python / stub.name, stub)
        stub.chmod(0o755)
        try:
            aside.rename(place)
        except OSError:  # another start was quicker
            shutil.rmtree(aside)
    return place


def folder(model: str) -> str:
    """The model's folder; one that is only named is fetched, once for all instances."""
    if not Path(model).is_dir():
        from huggingface_hub import snapshot_download

        model = snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.safetensors", "*.model"])
    return str(Path(model).resolve())


def environment(args: argparse.Namespace) -> dict[str, str]:
    libraries = [str(SITE_PACKAGES / "nvidia_pytriton.libs"), os.environ.get("LD_LIBRARY_PATH", "")]
    return os.environ | {
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "STACK_SITE_PACKAGES": str(SITE_PACKAGES),  # the stub looks into no environment by itself
        "STACK_ENGINE": args.engine,
        "STACK_MODEL": folder(args.model),
        "STACK_THREADS": args.threads,
        "STACK_CACHE": str(args.cache.resolve()),
    }


def main() -> None:
    args, more = arguments()
    server = BUNDLE / "bin" / "tritonserver"
    command = [
        str(server),
        f"--model-repository={args.repository}",
        f"--backend-directory={backends(args.cache)}",
        f"--http-address={args.host}",
        f"--grpc-address={args.host}",
        f"--metrics-address={args.host}",
        f"--http-port={args.http_port}",
        f"--grpc-port={args.grpc_port}",
        f"--metrics-port={args.metrics_port}",
        "--allow-metrics=true",
        "--exit-timeout-secs=10",
        *more,
    ]
    server.chmod(0o755)
    os.execve(server, command, environment(args))  # the same process: whoever supervises it ends the server


if __name__ == "__main__":
    main()
