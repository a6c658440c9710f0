import { listPath } from './deployment.ts';

const flags = ['active', 'staff', 'admin', 'customer', 'online', 'profile_completed'].map((flag) => `is_${flag}`);
const days = ['created_from', 'created_to', 'updated_from', 'updated_to'];

/** None of which is `x`. */
const refused = ['limit', 'offset', 'gender', 'group_id', ...flags, ...days];

export const refusedCount = refused.length;

/** Refused in more than the 1024 bytes from which an answer is compressed, in the same words at any time. */
export const manyFaults = `${listPath}?${refused.map((name) => `${name}=x`).join('&')}`;

/** A page that is the same at any time: nobody is listed. */
export const emptyPage = `${listPath}?id_min=9&id_max=3`;
