/** `/_sluice/docs`: the OpenAPI document as one page, made here: no script, no style and no font from anywhere else. */
import { html, raw } from "hono/html";

interface Operation {
  summary?: string;
  security?: readonly unknown[];
  parameters?: readonly { name: string; in: string; required?: boolean; schema?: unknown }[];
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
}

interface OpenApiDocument {
  info: { title: string };
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown> };
}

const style = raw(`
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
  summary { cursor: pointer; padding: .4rem 0 } details { border-bottom: 1px solid #ddd } code, pre { font: 14px/1.45 ui-monospace, monospace }
  pre { background: #f4f4f4; padding: .7rem; overflow: auto } b.method { display: inline-block; width: 5rem }
  table { border-collapse: collapse } td { padding: .1rem 1rem .1rem 0; vertical-align: top }
  @media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616 } pre { background: #242424 } details { border-color: #333 } }
`);

/** Of the page: a policy that lets nothing but its own style in. */
export const docsHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
};

/** The page, as HTML. */
export async function docsPage(document: object): Promise<string> {
  const { info, paths, components } = document as OpenApiDocument;
  const operations = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationHtml(method, path, operation)),
  );
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      html`<details id="schema-${name}"><summary><code>${name}</code></summary>${block(schema)}</details>`,
  );
  const page = html`<!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${info.title}</title><style>${style}</style></head>
    <body><h1>${info.title}</h1>
    <p>Send <code>Authorization: Bearer TOKEN</code>. The same as data: <a href="openapi.json">openapi.json</a>;
    the configuration's JSON Schema: <a href="schema.json">schema.json</a>.</p>
    ${operations}${schemas.length > 0 ? html`<h2>Schemas</h2>${schemas}` : ""}</body></html>`;
  return String(await page);
}

function operationHtml(method: string, path: string, operation: Operation) {
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      html`<tr><td><code>${parameter.name}</code></td><td>${parameter.in}${parameter.required ? ", required" : ""}</td></tr>`,
  );
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const responses = Object.entries(operation.responses ?? {}).map(([status, { description, content }]) => {
    const schema = Object.values(content ?? {})[0]?.schema;
    return html`<tr><td><code>${status}</code></td><td>${description}${schema && Number(status) < 300 ? block(schema) : ""}</td></tr>`;
  });
  return html`<details><summary><b class="method">${method.toUpperCase()}</b> <code>${path}</code> ${operation.summary}</summary>
    ${parameters.length > 0 ? html`<h4>Parameters</h4><table>${parameters}</table>` : ""}
    ${body ? html`<h4>Body</h4>${block(body)}` : ""}<h4>Answers</h4><table>${responses}</table></details>`;
}

function block(schema: unknown) {
  return html`<pre>${JSON.stringify(schema, null, 2)}</pre>`;
}
