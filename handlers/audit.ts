import { gunzipSync } from 'node:zlib';
import { writeAuditLog } from '../lib/log.ts';

/**
 * Copies the lines that name users from the list's log, of which CloudWatch Logs hands them on, into a log group with a retention of its own:
 * this function's, for a function writes into one alone.
 */
export async function handler(event: unknown): Promise<void> {
  for (const line of readLines(event)) writeAuditLog(line);
}

/** What CloudWatch Logs sends: base64 of gzip of JSON. `CONTROL_MESSAGE`: it asks whether somebody is there. */
type Delivery = { messageType: string; logEvents: { timestamp: number; message: string }[] };

/** The list's lines, each with the time at which it was written. Throws without a word of theirs: Lambda logs it. */
function readLines(event: unknown): object[] {
  try {
    const { data } = (event as { awslogs: { data: string } }).awslogs;
    const { messageType, logEvents } = JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString()) as Delivery;
    if (messageType !== 'DATA_MESSAGE') return [];
    return logEvents.map(({ timestamp, message }) => ({
      writtenAt: new Date(timestamp).toISOString(),
      // Lambda's JSON format has its own words around ours.
      ...(JSON.parse(message) as { message: object }).message,
    }));
  } catch {
    throw new Error('Expected a delivery of CloudWatch Logs, of lines in the JSON format of Lambda.');
  }
}
