/** The part of the OpenAPI document that the page changes. */
type Document = { servers: { url: string }[]; paths: Record<string, { get: Operation }> };
type Operation = Described & { 'x-csv': Described };
type Described = { parameters: Parameter[]; responses: Record<string, { content: object }> };
type Parameter = { description?: string; example?: unknown; allowEmptyValue?: boolean };
type SentRequest = { headers: Record<string, string> };

declare const SwaggerUIBundle: (options: object) => unknown;

/** Swagger UI has dark colours, but does not ask the browser by itself. */
const dark = matchMedia('(prefers-color-scheme: dark)');
const showScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', showScheme);
showScheme();

const response = await fetch('../openapi.json');
SwaggerUIBundle({
  spec: toPageDocument(await response.json()),
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  docExpansion: 'list',
  persistAuthorization: false, // a token stays in memory
  requestInterceptor: withScheme,
  tryItOutEnabled: true,
  validatorUrl: null, // it would send the document to somebody else
});

/**
 * The document for trying out. Swagger UI fills a form in with a parameter's example, and thirty filters at once find nobody: the example
 * goes into the description. What may be empty gets a checkbox to send it so, thirty of them, and an empty field is not sent anyway. CSV, which
 * the document describes apart, can be tried out as well. Requests go where the page came from.
 */
function toPageDocument(document: Document): Document {
  for (const { get } of Object.values(document.paths)) {
    const csv = get['x-csv'];
    Object.assign(get.responses['200']?.content ?? {}, csv.responses['200']?.content);
    get.parameters = [...get.parameters, ...csv.parameters].map(
      ({ example, allowEmptyValue, description = '', ...parameter }) => ({
        ...parameter,
        description: example === undefined ? description : `${description}\n\nExample: \`${example}\``,
      }),
    );
  }
  return { ...document, servers: [{ url: new URL('../..', location.href).href.replace(/\/$/, '') }] };
}

/** `Authorization: Token <key>` for who has entered the key alone. */
function withScheme(request: SentRequest): SentRequest {
  const given = request.headers['Authorization']?.trim();
  if (given && !/\s/.test(given)) request.headers['Authorization'] = `Token ${given}`;
  return request;
}
