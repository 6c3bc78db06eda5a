"""kept.py FILE: writes with TensorBoard's own messages and records the events that tests/test_events.c writes with ours. The file is
kept as tests/tensorboard/kept.events; peers.sh compares it with what the TensorBoard of the day writes. Needs tensorboard (2.21)."""

import sys

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

TIME = 1700000000.5


def plugin_value(tag, plugin, content, tensor):
    metadata = summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content),
        data_class=summary_pb2.DATA_CLASS_TENSOR)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def hparams_value(tag, data):
    empty = tensor_pb2.TensorProto(dtype=1, tensor_shape=tensor_shape_pb2.TensorShapeProto(
        dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=0)]))
    return plugin_value(tag, "hparams", data.SerializeToString(deterministic=True), empty)


def session_start():
    data = plugin_data_pb2.HParamsPluginData(version=0)
    start = data.session_start_info
    start.start_time_secs = TIME
    start.hparams["lr"].number_value = 0.05
    start.hparams["nesterov"].bool_value = False
    start.hparams["optimizer"].string_value = "sgd"
    start.hparams["shuffle"].bool_value = True
    return data


def session_end():
    data = plugin_data_pb2.HParamsPluginData(version=0)
    data.session_end_info.status = 1
    data.session_end_info.end_time_secs = TIME
    return data


def values():
    value = summary_pb2.Summary.Value
    yield [value(tag="step/loss", simple_value=0.25), value(tag="step/lr", simple_value=0.01)]
    buckets = [0.0] * 64
    buckets[0], buckets[24], buckets[63] = 1, 2, 1
    yield [value(tag="spread", histo=summary_pb2.HistogramProto(
        min=-1, max=3, num=4, sum=3, sum_squares=10.5, bucket_limit=[-1 + 4 * (i + 1) / 64 for i in range(64)],
        bucket=buckets))]
    yield [value(tag="constant", histo=summary_pb2.HistogramProto(
        min=2, max=2, num=3, sum=6, sum_squares=12, bucket_limit=[2], bucket=[3]))]
    yield [value(tag="picture", image=summary_pb2.Summary.Image(
        height=3, width=4, colorspace=3, encoded_image_string=b"\x89PNG\x00\xff"))]
    text = tensor_pb2.TensorProto(dtype=7, tensor_shape=tensor_shape_pb2.TensorShapeProto(
        dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)]), string_val=[b"| a | b |\n"])
    yield [plugin_value("text", "text", b"", text)]
    yield [hparams_value("_hparams_/session_start_info", session_start())]
    yield [hparams_value("_hparams_/session_end_info", session_end())]


with open(sys.argv[1], "wb") as file:
    records = RecordWriter(file)
    event = event_pb2.Event
    records.write(event(wall_time=TIME, step=13, file_version="brain.Event:2").SerializeToString())
    records.write(event(wall_time=TIME, step=13, session_log=event_pb2.SessionLog(status=1)).SerializeToString())
    for value in values():
        records.write(event(wall_time=TIME, step=14, summary=summary_pb2.Summary(value=value)).SerializeToString())
    records.write(event(wall_time=TIME, summary=summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag="first", simple_value=1)])).SerializeToString())
