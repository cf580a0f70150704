import { LabError } from '@fernlab/shared/primitives/lab-error'
import { methodUnknown } from '@fernlab/shared/rpc/peer/peer'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'

/** A service that has one method of each kind, and says what it heard. */
export function everyKind() {
  const heard: unknown[] = []
  const waiting = new Map<string, (value: unknown) => void>()
  const methods: Record<string, (params: never, context: CallContext) => unknown> = {
    echo: (params: unknown) => params,
    later: async (params: unknown) => params,
    fail: () => {
      throw new LabError({
        code: 'voltage-too-high',
        kind: 'caller',
        message: '12 V is above the limit of 5 V',
        studentMessage: 'Too high.',
        retry: 'later',
        issues: [{ path: 'voltage', message: 'too high' }],
        details: { limit: 5 },
      })
    },
    throwNothing: () => Promise.reject(Object.create(null)),
    cycle: () => {
      const value: Record<string, unknown> = {}
      value.self = value
      return value
    },
    huge: () => Array.from({ length: 20 }, () => new Uint8Array(4 * 1024 * 1024)),
    note: (params: unknown) => void heard.push(params),
    never: (params: string, { signal }) => {
      heard.push(`${params} begun`)
      signal.addEventListener('abort', () => heard.push(`${params} ${(signal.reason as LabError).code}`))
      return new Promise((resolve) => waiting.set(params, resolve))
    },
    async *count(params: { to: number; failAfter?: number }, { signal }) {
      try {
        for (let n = 1; n <= params.to; n++) {
          signal.throwIfAborted()
          if (n - 1 === params.failAfter)
            throw new LabError({ code: 'sensor-lost', kind: 'instrument', message: 'gone' })
          heard.push(n)
          yield n
        }
      } finally {
        heard.push('count ended')
      }
    },
    callBack: async ({ each, times }: { each: (n: number) => Promise<unknown>; times: number }) => {
      const answers: unknown[] = []
      for (let n = 0; n < times; n++) answers.push(await each(n))
      return answers
    },
  }
  const serve = (method: string, params: unknown, context: CallContext) => {
    const found = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (found === undefined) throw methodUnknown(method)
    return found(params as never, context)
  }
  return { heard, serve, waiting }
}
