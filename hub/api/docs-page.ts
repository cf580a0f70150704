/** `/docs`: the API for people, drawn on the server from the OpenAPI document; one page, one style sheet, no script. */

interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }
  readonly responses?: Readonly<Record<string, Answer>>
  readonly 'x-access'?: string
}

interface Parameter {
  readonly name?: string
  readonly in?: string
  readonly required?: boolean
  readonly schema?: { readonly type?: string; readonly enum?: readonly unknown[]; readonly default?: unknown }
}

interface Answer {
  readonly description?: string
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>
}

export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The page. */
export function docsPage(document: OpenApiDocument): string {
  const groups = new Map<string, string[]>()
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const [method, value] of Object.entries(methods)) {
      const operation = value as Operation
      const tag = operation.tags?.[0] ?? 'Other'
      groups.set(tag, [...(groups.get(tag) ?? []), operationHtml(method, path, operation)])
    }
  }
  const tags = [...groups.keys()]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${inHtml(document.info.title)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header><h1>${inHtml(document.info.title)}</h1>
<p>Version ${inHtml(document.info.version)} · <a href="/openapi.json">OpenAPI</a> · <a href="/asyncapi.json">AsyncAPI (MQTT)</a></p>
<p>${inHtml(document.info.description ?? '')}</p></header>
<nav aria-label="Sections"><ul>${tags.map((tag) => `<li><a href="#${anchor(tag)}">${inHtml(tag)}</a></li>`).join('')}</ul></nav>
<main>
${tags.map((tag) => `<section id="${anchor(tag)}"><h2>${inHtml(tag)}</h2>\n${(groups.get(tag) ?? []).join('\n')}</section>`).join('\n')}
</main>
</body>
</html>
`
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const access = operation['x-access'] ?? 'signed-in'
  const who = access === 'public' ? 'open to everyone' : access === 'signed-in' ? 'signed in' : `needs ${access}`
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema
  const answers = Object.entries(operation.responses ?? {}).filter(([status]) => status !== 'default')
  return `<article>
<h3><span class="method ${inHtml(method)}">${inHtml(method.toUpperCase())}</span> <code>${inHtml(path)}</code></h3>
<p>${inHtml(operation.summary ?? '')}. <em>${inHtml(who)}</em></p>
${operation.description === undefined ? '' : `<p>${inHtml(operation.description)}</p>`}
${parametersHtml(operation.parameters ?? [])}
${body === undefined ? '' : schemaHtml('Body', body)}
${answers.map(([status, answer]) => answerHtml(status, answer)).join('')}
</article>`
}

function parametersHtml(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(({ name = '', in: place = '', required, schema = {} }) => {
    const type = schema.enum === undefined ? (schema.type ?? '') : schema.enum.map(String).join(' | ')
    const otherwise = schema.default === undefined ? '' : ` = ${String(schema.default)}`
    return `<tr><td><code>${inHtml(name)}</code></td><td>${inHtml(place)}${required === true ? ', required' : ''}</td><td>${inHtml(type + otherwise)}</td></tr>`
  })
  return `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function answerHtml(status: string, answer: Answer): string {
  const [type, content] = Object.entries(answer.content ?? {})[0] ?? []
  const label = `${status}: ${answer.description ?? ''}${type === undefined ? '' : ` (${type})`}`
  const schema = content?.schema
  const plain = typeof schema !== 'object' || (schema as { type?: string }).type === 'string'
  return plain ? `<p>${inHtml(label)}</p>` : schemaHtml(label, schema)
}

function schemaHtml(label: string, schema: unknown): string {
  return `<details><summary>${inHtml(label)}</summary><pre tabindex="0"><code>${inHtml(JSON.stringify(schema, null, 2))}</code></pre></details>`
}

const anchor = (tag: string) => tag.toLowerCase().replace(/[^a-z]+/g, '-')

function inHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Light and dark by the reader's own setting. */
export const docsStyle = `:root{color-scheme:light dark;--paper:#faf9f6;--ink:#1a1d1a;--link:#28633a;--line:#e4e2da;--soft:#f1f0eb}
@media(prefers-color-scheme:dark){:root{--paper:#121412;--ink:#e9ebe6;--link:#86c793;--line:#2a2e2a;--soft:#0d0f0d}}
body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.75rem;padding:0;list-style:none}
article{border-top:1px solid var(--line);padding:.5rem 0}
h3{font-size:1rem;margin:.5rem 0;overflow-wrap:anywhere}
.method{display:inline-block;min-width:4rem;font-weight:700}
code,pre{font-family:ui-monospace,monospace;font-size:.9rem}
pre{overflow:auto;max-height:30rem;background:var(--soft);padding:.75rem;border-radius:.5rem}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem .75rem .15rem 0}
summary{cursor:pointer}
`
