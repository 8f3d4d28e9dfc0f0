// What a child process learns of its parent's environment. Workers hold keys of services, stores and
// payloads in theirs; programs that read models and run strangers' text need none of them.

/** Names, in upper case, that programs need to start, to find their files and to use the machine. */
const names = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LANGUAGE', 'TZ'],
  ...['TMPDIR', 'TMP', 'TEMP', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR'],
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_LIBRARY_PATH', 'GLIBC_TUNABLES'],
  ...['NODE_OPTIONS', 'NODE_COMPILE_CACHE', 'UV_THREADPOOL_SIZE', 'NUMBER_OF_PROCESSORS'],
  // The embedded server is a Go program.
  ...['GOMAXPROCS', 'GOMEMLIMIT', 'GOGC'],
  // Windows.
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATHEXT', 'USERPROFILE'],
  ...['APPDATA', 'LOCALAPPDATA', 'PROGRAMDATA', 'PROCESSOR_ARCHITECTURE'],
]);
/** Settings of languages, threads, allocators, GPUs and ONNX Runtime. */
const prefixes = [
  ...['LC_', 'OMP_', 'KMP_', 'GOMP_', 'MALLOC_'],
  ...['CUDA_', 'NVIDIA_', 'ROCR_', 'HIP_', 'ORT_'],
];

/** The part of an environment that holds no secrets, for a child process. */
export function plainEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isPlain(name.toUpperCase())));
}

function isPlain(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
