/** What the person who proves can do something about; its message is for them, and holds no token. */
export class ProveError extends Error {}
