/** Under `npm start`: says that requests are answered from now on, and ends when its parent is gone, be it killed. */
export default class OfflineParent {
  constructor() {
    // Its parent may be gone before this is loaded.
    if (process.connected === false) process.exit();
    process.once('disconnect', () => process.exit());
    // A build that failed must end this process, and the channel would keep it.
    process.channel?.unref();
    this.hooks = { 'after:offline:start:init': () => process.send?.('ready') };
  }
}
