import { once } from 'node:events';
import { createServer } from 'node:net';

/** Whether nothing listens on this port of the loopback interface. */
export async function isFreePort(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  await close(probe);
  return true;
}

/** A port of the loopback interface on which nothing listens at this moment. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await close(probe);
  return port;
}

async function close(server: ReturnType<typeof createServer>): Promise<void> {
  server.close();
  await once(server, 'close');
}
