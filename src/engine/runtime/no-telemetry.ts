// ONNX Runtime reports usage to its vendor unless this is set before it is loaded. Import first.

process.env.ORT_DISABLE_TELEMETRY = '1';
