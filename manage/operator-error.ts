/** What an operator did wrong, for the operator's eyes. Nothing has been written. */
export class OperatorError extends Error {}
