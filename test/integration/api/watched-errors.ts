import type { Api } from '@fernlab/hub/api/context'

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly examples?: object }>> }>
  >
}

const problemType = 'application/problem+json'

/** The answer as it was before it was compressed for the wire. */
function unpacked(answer: Response): Response {
  const encoding = answer.headers.get('content-encoding')
  if (answer.body === null || (encoding !== 'gzip' && encoding !== 'deflate')) return answer
  return new Response(answer.body.pipeThrough(new DecompressionStream(encoding)))
}

/** An app that notes each refusal that its own OpenAPI document does not name for that call; faults are its `default`. */
export async function watchErrors(app: Api): Promise<{ readonly app: Api; readonly undescribed: ReadonlySet<string> }> {
  const document = (await (await app.request('/openapi.json')).json()) as OpenApi
  const calls = Object.entries(document.paths).map(([path, methods]) => ({
    path,
    pattern: new RegExp(
      `^${path
        .replaceAll('.', '\\.')
        .replace('{path}', '.+')
        .replaceAll(/\{\w+\}/g, '[^/]+')}$`,
    ),
    methods,
  }))
  const undescribed = new Set<string>()
  const note = async (request: Request, answer: Response) => {
    const { pathname } = new URL(request.url)
    const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase()
    const here = calls.filter(({ pattern, methods }) => method in methods && pattern.test(pathname))
    const call = here.find(({ path }) => !path.includes('{')) ?? here[0]
    if (call === undefined) return
    const { code } = (await unpacked(answer).json()) as { code: string }
    const responses = Object.values(call.methods[method]?.responses ?? {})
    if (!responses.some(({ content }) => code in (content?.[problemType]?.examples ?? {})))
      undescribed.add(`${method.toUpperCase()} ${call.path}: ${code}`)
  }
  const watched: Api = Object.create(app, {
    fetch: {
      value: async (request: Request, ...rest: [object]) => {
        const answer = await app.fetch(request, ...rest)
        const isRefusal = answer.headers.get('content-type') === problemType && answer.status < 500
        if (isRefusal && request.method !== 'HEAD') await note(request, answer.clone())
        return answer
      },
    },
  })
  return { app: watched, undescribed }
}
