import { toJsonSchemaDefs } from '@valibot/to-json-schema';
import { groupSchema, inviterSchema, userSchema } from '../lib/users/user.ts';
import { reference } from './reference.ts';

const text = { type: 'string' };

const ofUsers = toJsonSchemaDefs(
  { User: userSchema, Inviter: inviterSchema, Group: groupSchema },
  {
    target: 'draft-2020-12',
    errorMode: 'throw',
    overrideRef: ({ referenceId }) => reference('schemas', referenceId).$ref,
  },
);

/** Components by name. */
export const schemas = {
  ...ofUsers,
  UserPage: {
    type: 'object',
    required: ['count', 'next', 'previous', 'results'],
    additionalProperties: false,
    properties: {
      count: { type: 'integer', minimum: 0, description: 'All users that match, on whatever page.' },
      next: { type: ['string', 'null'], format: 'uri', description: 'The next page; null on the last one.' },
      previous: { type: ['string', 'null'], format: 'uri', description: 'The previous page; null on the first one.' },
      results: { type: 'array', items: reference('schemas', 'User') },
    },
  },
  Problem: {
    type: 'object',
    description: 'RFC 9457.',
    required: ['type', 'title', 'status', 'detail'],
    additionalProperties: false,
    properties: {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: { ...text, description: 'What is wrong, in a sentence.' },
      errors: {
        type: 'object',
        description: 'Of a 400: messages by the name of the parameter.',
        additionalProperties: { type: 'array', items: text },
      },
    },
  },
};
