/** Prints what functions log, an object each, as one line of JSON, as Lambda does; to stderr, for on stdout the emulator draws its routes. */
export default class OfflineLog {
  constructor() {
    for (const name of ['log', 'error']) {
      const print = console[name];
      console[name] = (...values) => {
        const [value] = values;
        if (isPlain(value)) process.stderr.write(`${JSON.stringify(value)}\n`);
        else print(...values);
      };
    }
  }
}

/** Not an error, whose stack JSON would drop. */
const isPlain = (value) => value instanceof Object && Object.getPrototypeOf(value) === Object.prototype;
