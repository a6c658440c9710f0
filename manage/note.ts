/** Told whom a command has acted on, by id: names are for nobody's log. */
export type Note = (userId: number) => void;
