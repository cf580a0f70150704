/**
 * Keeps what node.yaml gives to a service from its clients.
 *
 * INVARIANTS: no error that leaves a service has a text of its parameters in it, whatever the service puts into its words;
 * what its actions return is the service's own to give.
 */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { isRecord } from '@fernlab/shared/rpc/errors'

/** Shorter texts are words of any message, and no secrets. */
const LEAST_CHARS = 4
const HIDDEN = '[a parameter]'

/** What takes the texts of that out of words; of a text with several lines, each line too. */
export function hidingTexts(given: unknown): (words: string) => string {
  const texts = [...new Set(textsIn(given))].sort((one, other) => other.length - one.length)
  return (words) => texts.reduce((left, secret) => left.replaceAll(secret, HIDDEN), words)
}

/** The error as clients may see it. */
export type Hide = (thrown: unknown) => LabError

export function hidingParameters(parameters: Readonly<Record<string, unknown>>): Hide {
  const hidden = hidingTexts(parameters)
  return (thrown) => {
    const error = asLabError(thrown)
    const { code, kind, retry, message, studentMessage, issues, details } = error
    const said = [message, studentMessage, JSON.stringify(issues), ...Object.values(details).map(String)]
    if (said.every((text) => hidden(text) === text)) return error
    return new LabError({
      code,
      kind,
      retry,
      message: hidden(message),
      studentMessage: hidden(studentMessage),
      issues: issues.map((issue) => ({ ...issue, path: hidden(issue.path), message: hidden(issue.message) })),
      details: Object.fromEntries(
        Object.entries(details).map(([key, value]) => [key, typeof value === 'string' ? hidden(value) : value]),
      ),
    })
  }
}

/** The items, with errors as clients may see them. */
export function hiddenIn(items: AsyncIterableIterator<unknown>, hide: Hide): AsyncIterableIterator<unknown> {
  const source: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => source,
    next: async () => {
      try {
        return await items.next()
      } catch (thrown) {
        throw hide(thrown)
      }
    },
    return: async () => (await items.return?.()) ?? { done: true, value: undefined },
  }
  return source
}

/** Also numbers that are as long: a PIN is one. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    return [value, ...value.split(/\r?\n/)].filter(({ length }) => length >= LEAST_CHARS)
  }
  if (typeof value === 'number') return textsIn(String(value))
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : []
}
