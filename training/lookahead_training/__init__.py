"""The offline stage: trains a bundle on the yard and exports it to ONNX."""
