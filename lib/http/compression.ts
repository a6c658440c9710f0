import { brotliCompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import type { Compressed, Text } from '../request.ts';
import { chooseEncoding, type Encoding } from './negotiation.ts';

/** A body as it is sent. `varies`: with another Accept-Encoding it would be another. */
export type Encoded = { body: string | Buffer; bytes: number; encoding?: Encoding | undefined; varies: boolean };

/** Smaller bodies fit into the packets that are sent anyway. */
const compressFromBytes = 1024;

export function encode(body: Text | Compressed, acceptEncoding: string | undefined): Encoded {
  if (!isText(body)) return chooseCompressed(body, chooseEncoding(acceptEncoding));
  const pieces = [body].flat();
  const bytes = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  const varies = bytes > compressFromBytes;
  const encoding = varies ? chooseEncoding(acceptEncoding) : undefined;
  if (!encoding) return { body: pieces.join(''), bytes, varies };
  const encoded = encoders[encoding](toUtf8(pieces, bytes));
  return { body: encoded, bytes: encoded.length, encoding, varies };
}

const isText = (body: Text | Compressed): body is Text => typeof body === 'string' || Array.isArray(body);

/** Kept for the next large body: memory that is new costs more than writing into it. */
let scratch = Buffer.alloc(0);

/** What it returns is overwritten by the next call. */
function toUtf8(pieces: string[], bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  let end = 0;
  for (const piece of pieces) end += scratch.write(piece, end);
  return scratch.subarray(0, end);
}

function chooseCompressed(compressed: Compressed, encoding: Encoding | undefined): Encoded {
  if (encoding) return { body: compressed[encoding], bytes: compressed[encoding].length, encoding, varies: true };
  const plain = gunzipSync(compressed.gzip);
  return { body: plain.toString(), bytes: plain.length, varies: true };
}

/** By measurement, `npm run bench`: higher ones take more time than their bytes are worth. */
export const qualities: Record<Encoding, number> = { br: 4, gzip: 3 };

const encoders: Record<Encoding, (body: Buffer) => Buffer> = {
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: qualities.br } }),
  gzip: (body) => gzipSync(body, { level: qualities.gzip }),
};
