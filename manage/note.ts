/** Told whom a command has acted on, by id: names are for nobody's log. */
export type Note = (userId: number) => void;

/** Told what an operator should see while a command runs, beside what it prints: how far it is, what it asks. */
export type Say = (line: string) => void;
