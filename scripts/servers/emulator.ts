import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { findFreePort } from './free-port.ts';

export type Emulator = {
  /** False where it ended before it was ready. */
  isReady: Promise<boolean>;
  /** Its exit status, as shells tell it: 128 and the number of the signal where one ended it. */
  status: Promise<number>;
};

/** Runs serverless-offline on a port of loopback until it ends, or this process is told to or is gone. */
export async function startEmulator(port: number, environment: Record<string, string>): Promise<Emulator> {
  // Its own file and not npx: a signal to npx would leave the server behind on the port.
  const file = 'node_modules/serverless/bin/serverless.js';
  const ports = ['--httpPort', String(port), '--lambdaPort', String(await findFreePort())];
  // Before there is a server: a signal that comes while it is spawned would end this process alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => server.kill(signal));
  const server = spawn(process.execPath, [file, 'offline', 'start', ...ports], {
    // Over the channel it says that it is ready, and sees when this process is gone (serverless/offline-parent.mjs).
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Its notices are three lines a request, beside the one of the function.
    env: { SLS_LOG_LEVEL: 'warning', ...process.env, ...environment },
  });
  const exited: Promise<[code: number | null, signal: NodeJS.Signals]> = once(server, 'exit') as never;
  return {
    isReady: Promise.race([once(server, 'message').then(() => true), exited.then(() => false)]),
    status: exited.then(([code, signal]) => code ?? 128 + constants.signals[signal]),
  };
}
