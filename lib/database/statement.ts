import {
  type CompiledQuery,
  createQueryId,
  type Expression,
  expressionBuilder,
  PostgresQueryCompiler,
  type RootOperationNode,
} from 'kysely';
import type { Database } from './tables.ts';

/**
 * Builds statements and runs none: that is `database.ts`. It is not a Kysely instance, which would bring its drivers, its schema builder
 * and its writers along: a third of the bundle.
 */
export const queryBuilder = expressionBuilder<Database, never>();

const compiler = new PostgresQueryCompiler();

/** The statement's SQL and values. */
export function compile<Row>(query: Expression<Row>): CompiledQuery<Row> {
  return compiler.compileQuery(query.toOperationNode() as RootOperationNode, createQueryId()) as CompiledQuery<Row>;
}
