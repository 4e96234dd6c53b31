"""A translator as an ONNX file, checked in ONNX Runtime against PyTorch."""

from __future__ import annotations

import json
import os
from typing import Any

from cyclegan.system.errors import MissingPackage, UserError
from cyclegan.system.files import whole
from cyclegan.translate.translator import Translator

TOLERANCE = 1e-3  # on a scale from -1 to 1: an eighth of a level of 255


class ExportError(UserError):
    """An export that cannot be made, or does not compute what the translator does."""

    exit_code = 1


def export_onnx(translator: Translator, path: str | os.PathLike) -> float:
    """Writes the translator as ONNX, the whole file or none; returns the largest difference from PyTorch found.

    The metadata key ``cyclegan`` carries the header. Heights and widths need to exceed half of ``network.multiple``
    (2 pixels, for a U-Net up to 128), since the padding reflects. A translator whose colours can be chosen has a second
    input, "palette" (batch, 27); the header's ``palettes`` are some. Raises ``ExportError``.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would report to its maker, and keep a number in the home
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  the exporter needs it
    except ImportError as error:
        raise MissingPackage("the export", error.name or "", "export") from error
    model = _with_padding(_traced(translator), translator.network.multiple)
    model.metadata_props.add(key="cyclegan", value=json.dumps(translator.header))
    with whole(path) as part:
        onnx.save(model, part)
        difference = _difference(translator, onnxruntime.InferenceSession(part, providers=["CPUExecutionProvider"]))
        if not difference <= TOLERANCE:
            raise ExportError(f"ONNX Runtime's result differs from PyTorch's by {difference:.1g}: nothing was written")
    return difference


def _traced(translator: Translator) -> Any:
    """The network alone as an ONNX model; heights and widths are multiples of what it divides by."""
    import logging
    import warnings

    import torch

    multiple = translator.network.multiple
    example = torch.zeros(2, translator.channels[0], 3 * max(multiple, 16), 2 * max(multiple, 16))
    sides = {axis: multiple * torch.export.Dim(name) for axis, name in ((2, "rows"), (3, "columns"))}
    batch = torch.export.Dim("batch")
    arguments, shapes, names = [example], [{0: batch, **sides}], ["padded"]
    if translator.palettes is not None:
        arguments.append(translator.palettes[:1].repeat(2, 1))
        shapes.append({0: batch})
        names.append("palette")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own internals
        program = torch.onnx.export(
            translator.network, tuple(arguments), dynamo=True, verbose=False, dynamic_shapes=tuple(shapes),
            input_names=names, output_names=["whole"],
        )  # fmt: skip
    assert program is not None
    return program.model_proto


def _with_padding(model: Any, multiple: int) -> Any:
    """The model behind a reflection to the next multiple at the right and bottom, and before a crop to the own size.

    Done on the graph: PyTorch's tracing would fix the padding to that of the example.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    def constant(name, values):
        return numpy_helper.from_array(np.array(values, np.int64), name)

    graph = model.graph
    graph.initializer.extend([
        constant("pad_multiple", [multiple]), constant("pad_none", [0] * 6), constant("pad_start", [0, 0]),
        constant("pad_axes", [2, 3]),
    ])  # fmt: skip
    before = [
        helper.make_node("Shape", ["picture"], ["pad_size"], start=2, end=4),
        helper.make_node("Neg", ["pad_size"], ["pad_negative"]),
        helper.make_node("Mod", ["pad_negative", "pad_multiple"], ["pad_missing"]),  # of the divisor's sign: ≥ 0
        helper.make_node("Concat", ["pad_none", "pad_missing"], ["pad_widths"], axis=0),
        helper.make_node("Pad", ["picture", "pad_widths"], ["padded"], mode="reflect"),
    ]
    after = helper.make_node("Slice", ["whole", "pad_start", "pad_size", "pad_axes"], ["translated"])
    nodes = [*before, *graph.node, after]
    del graph.node[:]
    graph.node.extend(nodes)
    for side, name in ((graph.input, "picture"), (graph.output, "translated")):
        channels, others = side[0].type.tensor_type.shape.dim[1].dim_value, list(side)[1:]
        del side[:]
        shape = ["batch", channels, "height", "width"]
        side.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        side.extend(others)
    return model


def _difference(translator: Translator, session: Any) -> float:
    """The largest difference between the two runtimes over several sizes, odd ones among them."""
    import torch

    side = max(translator.network.multiple, 32)
    worst = 0.0
    for batch, height, width in ((1, side + 5, side + 2), (2, side, 2 * side - 1)):
        picture = torch.rand(batch, translator.channels[0], height, width) * 2 - 1
        inputs = {"picture": picture.numpy()}
        if translator.palettes is not None:  # not the default one
            inputs["palette"] = translator.palettes[-1:].repeat(batch, 1).numpy()
        (result,) = session.run(None, inputs)
        expected = translator.run(picture, -1) if translator.palettes is not None else translator.run(picture)
        worst = max(worst, (expected - torch.from_numpy(result)).abs().max().item())
    return worst
