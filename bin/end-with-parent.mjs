// Preloaded into a command that bin/anneal.mjs runs in another Node: shuts it down cleanly when the
// process that started it has ended, for whatever reason.

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
