"""Files that `paceline embed` writes are read by NumPy and Arrow, and a run that was killed goes on."""

import json
import pathlib
import signal
import subprocess
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest


def embed(binary, reference, *arguments, **options):
    command = [binary, "embed", "--model", str(reference.folder), "--dtype", "float32", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def write(path: pathlib.Path, texts: list[str]) -> pathlib.Path:
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(texts)))
    return path


def test_formats_agree(binary, reference, tmp_path):
    """The reference's vectors, and the same bits in every format."""
    indices = [i for i, text in enumerate(reference.texts) if text.strip()]
    source = write(tmp_path / "in.jsonl", [reference.texts[i] for i in indices])
    for name in ("out.npy", "out.parquet", "out.jsonl"):
        embed(binary, reference, source, "-o", tmp_path / name)
    vectors = np.load(tmp_path / "out.npy")
    assert vectors.dtype == np.float32
    reference.check(indices, vectors)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column("id").to_pylist() == [str(i) for i in range(len(indices))]
    assert pa.types.is_list(table.schema.field("embedding").type)
    assert np.array_equal(np.array(table.column("embedding").to_pylist(), dtype=np.float32), vectors)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [r["id"] for r in rows] == list(range(len(indices)))
    assert np.array_equal(np.array([r["embedding"] for r in rows], dtype=np.float32), vectors)


def test_arrow_to_arrow(binary, tiny, tmp_path):
    """Columns keep their types; a null has no vector; many groups of rows become one file."""
    n = 3000
    source = pa.table({"id": pa.array(range(n), pa.int64()), "text": [None if i % 10 == 3 else f"text {i}" for i in range(n)], "good": [i % 2 == 0 for i in range(n)]})
    parquet.write_table(source, tmp_path / "in.parquet", row_group_size=700)
    embed(binary, tiny, tmp_path / "in.parquet", "-o", tmp_path / "out.parquet", "--columns", "good,id", "--checkpoint", "0s")
    file = parquet.ParquetFile(tmp_path / "out.parquet")
    assert file.metadata.num_rows == n and file.metadata.num_row_groups > 1
    table = file.read()
    assert table.select(["id", "good"]).equals(source.select(["id", "good"]))
    assert [v is None for v in table.column("embedding").to_pylist()] == [i % 10 == 3 for i in range(n)]
    assert file.schema_arrow.metadata[b"paceline.dtype"] == b"float32"


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl", "out.npy"])
def test_killed_goes_on(binary, tiny, tmp_path, name):
    """SIGKILL, again and again: no piece is embedded twice, and the file is as if nothing had happened."""
    source = write(tmp_path / "in.jsonl", [f"this is text number {i}" for i in range(12_000)])
    whole, out = tmp_path / ("whole-" + name), tmp_path / name
    embed(binary, tiny, source, "-o", whole)
    journal = pathlib.Path(f"{out}.partial") / "journal"
    command = [binary, "embed", "--model", str(tiny.folder), "--dtype", "float32", str(source), "-o", str(out), "--checkpoint", "0s"]
    done = 0
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        before = done
        while process.poll() is None and (done := pieces(journal)) <= before:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        assert not out.exists(), "it was not killed in time: the test shows nothing"
        assert ("going on after" in said) == (before > 0)
    last = embed(binary, tiny, source, "-o", out, "--json")
    assert json.loads(last.stdout)["resumed_rows"] >= 3 * 1024 and "going on after" in last.stderr
    if name == "out.parquet":
        assert parquet.read_table(out).equals(parquet.read_table(whole))
    else:
        assert out.read_bytes() == whole.read_bytes()
    assert not journal.parent.exists()


def pieces(journal: pathlib.Path) -> int:
    try:
        return max(0, journal.read_bytes().count(b"\n") - 1)  # the first line is no piece
    except FileNotFoundError:
        return 0


def test_interrupted_says_how_to_go_on(binary, tiny, tmp_path):
    """Ctrl-C ends it cleanly, with what is done kept; another arithmetic is refused."""
    source = write(tmp_path / "in.jsonl", [f"this is text number {i}" for i in range(12_000)])
    out = tmp_path / "out.npy"
    command = [binary, "embed", "--model", str(tiny.folder), str(source), "-o", str(out), "--checkpoint", "0s"]
    process = subprocess.Popen([*command, "--dtype", "float32"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and pieces(pathlib.Path(f"{out}.partial") / "journal") < 1:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 1 and stdout == "" and not out.exists()
    assert "interrupted" in stderr and "the same command goes on after them" in stderr
    refused = subprocess.run([*command, "--dtype", "bfloat16"], capture_output=True, text=True)
    if "no such arithmetic" not in refused.stderr:
        assert refused.returncode == 1 and 'dtype was "float32" and is "bfloat16"' in refused.stderr and "--restart" in refused.stderr
    embed(binary, tiny, source, "-o", out)
    assert np.load(out).shape == (12_000, 48)


def test_interrupted_while_it_waits(binary, tiny, tmp_path):
    """Ctrl-C ends a run whose input does not come."""
    out = tmp_path / "out.npy"
    process = subprocess.Popen([binary, "embed", "--model", str(tiny.folder), "-", "-o", str(out), "--checkpoint", "0s"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"a text\n" * 20_000)
    process.stdin.flush()
    while process.poll() is None and pieces(pathlib.Path(f"{out}.partial") / "journal") < 1:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 1
    assert b"interrupted" in process.stderr.read()


def test_a_reader_that_left(binary, tiny, tmp_path):
    """Nobody reads standard output any more: Ctrl-C twice ends even that."""
    source = write(tmp_path / "in.jsonl", ["a text"] * 4000)
    process = subprocess.Popen([binary, "embed", "--model", str(tiny.folder), str(source), "-o", "-", "--checkpoint", "0s"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert len(json.loads(process.stdout.readline())["embedding"]) == 48
    for _ in range(600):  # the first is asked for while it waits for its reader
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=0.1)
            break
        except subprocess.TimeoutExpired:
            pass
    assert process.returncode == 1
