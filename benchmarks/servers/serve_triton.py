"""Triton through PyTriton, with its dynamic batcher.

python serve_triton.py FOLDER PORT

The limit of a batch is that of a request as well, hence 1,024 rows. The batcher takes what waits and does not
wait for more, its default.
"""

import os
import sys
import sysconfig

import numpy as np
import tensorflow as tf
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

FOLDER, PORT = sys.argv[1], int(sys.argv[2])

model = tf.saved_model.load(FOLDER)
signature = model.signatures["serving_default"]
((input_name, input_spec),) = signature.structured_input_signature[1].items()
((output_name, output_spec),) = signature.structured_outputs.items()


@batch
def infer(**inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Call the model with the rows of a batch."""
    outputs = signature(**{input_name: tf.constant(inputs[input_name])})
    return {output_name: outputs[output_name].numpy()}


if __name__ == "__main__":
    # Triton's Python backend wants the libpython of this Python, which need not be the system's.
    os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")
    ports = TritonConfig(http_address="127.0.0.1", http_port=PORT, grpc_port=PORT + 1, metrics_port=PORT + 2)
    with Triton(config=ports) as triton:
        triton.bind(
            model_name="model",
            infer_func=infer,
            inputs=[Tensor(name=input_name, dtype=np.float32, shape=tuple(input_spec.shape[1:]))],
            outputs=[Tensor(name=output_name, dtype=np.float32, shape=tuple(output_spec.shape[1:]))],
            config=ModelConfig(batching=True, max_batch_size=1024, batcher=DynamicBatcher()),
            strict=False,
        )
        triton.serve()
