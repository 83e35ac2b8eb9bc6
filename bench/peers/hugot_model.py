"""Writes a model as hugot's Go backend reads it: python hugot_model.py MODEL OUT."""

import pathlib
import shutil
import sys

import onnx

import export

model, out = map(pathlib.Path, sys.argv[1:])
for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
    shutil.copy(model / name, out)
onnx.save(export.bert(model, gelu="Erf"), out / "model.onnx")
