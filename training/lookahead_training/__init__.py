"""The offline stage: trains a bundle on the yard and exports it to ONNX."""

import os

# onnxruntime reads it when it is loaded; it would else report to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
