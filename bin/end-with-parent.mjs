// Preloaded into a command that bin/anneal.mjs runs in another Node: ends it, in good order, when
// the process that started it is gone, however that ended.

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
