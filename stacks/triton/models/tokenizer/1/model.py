"""Texts to token ids, padded to the longest text of the request."""

import os
import sys

sys.path[:0] = [os.environ["STACK_SITE_PACKAGES"]]

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from limits import max_tokens  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        folder = os.environ["STACK_MODEL"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.max_tokens = max_tokens(folder, self.tokenizer.model_max_length)

    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        texts = pb_utils.get_input_tensor_by_name(request, "texts").as_numpy().reshape(-1)
        encoded = self.tokenizer(
            [text.decode("utf-8", "replace") for text in texts],
            padding=True,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="np",
        )
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor(name, encoded[name].astype(np.int32))
                for name in ("input_ids", "attention_mask")
            ]
        )
