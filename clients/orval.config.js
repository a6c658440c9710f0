/** Its functions take no host: they read it from where their user keeps it. */
const baseUrl = { runtime: 'server.baseUrl', imports: [{ name: 'server', importPath: '../walks/orval-server.ts' }] };

export default {
  users: { input: '../openapi.json', output: { target: 'generated/orval.ts', client: 'fetch', baseUrl } },
};
