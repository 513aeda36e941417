# SPDX-License-Identifier: MIT
"""Connectors, csv: the picture as rows of a CSV file."""

from gateway.ports.connector import ConnectorType
from groundwatch_examples.csv_sink.config import CsvConfig
from groundwatch_examples.csv_sink.run import CsvSink

TYPE = ConnectorType("csv", CsvConfig, CsvSink.make, "the picture as rows of a CSV file")
