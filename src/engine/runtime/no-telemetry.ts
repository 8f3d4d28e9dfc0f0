// onnxruntime reports usage to its vendor unless told not to, before it is loaded. Import first.

process.env.ORT_DISABLE_TELEMETRY = '1';
