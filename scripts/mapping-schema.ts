import { toJsonSchema } from '@valibot/to-json-schema';
import { mappingSchema } from '../manage/adopt/mapping.ts';

/** Of docs/, where editors find it by a mapping's `$schema`. */
export const mappingSchemaFile = 'docs/adopt-mapping.schema.json';

/** The JSON Schema of a mapping of `adopt`. */
export const toMappingSchema = (): object => ({
  title: 'A mapping of users-api’s adopt',
  ...toJsonSchema(mappingSchema, { typeMode: 'input' }),
});
