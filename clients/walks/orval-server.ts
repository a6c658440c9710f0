/** Where orval's functions find the host. */
export const server = { baseUrl: '' };
