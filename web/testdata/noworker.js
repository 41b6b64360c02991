// For tests only: a browser without workers.
delete globalThis.Worker;
