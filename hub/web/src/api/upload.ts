import type { Problem } from '@fernlab/shared/contracts/api'
import { ApiProblem } from './client.ts'

/** Sends a large body and tells how much of it has gone, which `fetch` does not; rejects as `Api.send` does, or when the signal aborts. */
export function upload<T>(
  path: string,
  body: unknown,
  { signal, onSent }: { signal: AbortSignal; onSent: (share: number) => void },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    signal.addEventListener('abort', stop, { once: true })
    request.open('POST', path)
    request.setRequestHeader('accept', 'application/json')
    request.setRequestHeader('content-type', 'application/json')
    request.responseType = 'text'
    request.upload.onprogress = ({ loaded, total }) => onSent(total === 0 ? 0 : loaded / total)
    request.upload.onload = () => onSent(1)
    request.onabort = () => reject(signal.reason)
    request.onerror = () => reject(new ApiProblem(0, { code: 'network' }))
    request.onload = () => {
      const { status } = request
      const answer = parsed(request.responseText)
      if (status >= 200 && status < 300 && answer !== undefined) resolve(answer as T)
      else reject(new ApiProblem(status, (answer ?? {}) as Partial<Problem>))
    }
    request.onloadend = () => signal.removeEventListener('abort', stop)
    request.send(JSON.stringify(body))
  })
}

function parsed(text: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined // a proxy's page, not ours: the status says it all
  }
}
