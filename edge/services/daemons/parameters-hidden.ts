/**
 * Keeps what node.yaml gives to a service from its clients.
 *
 * INVARIANTS: no error that leaves a service has a text or number of what its daemon is given in it, whatever the service
 * puts into its words; what its actions return is the service's own to give.
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

/** Of all that a daemon is given, as one service may have the words of another in the same process. */
export function hidingParameters(given: unknown): Hide {
  const hidden = hidingTexts(given)
  const fact = (value: LabError['details'][string]) => {
    const text = String(value)
    return hidden(text) === text ? value : hidden(text)
  }
  return (thrown) => {
    const error = asLabError(thrown)
    const { code, kind, retry, message, studentMessage, issues, details } = error
    const places = issues.flatMap(({ path, message: what, file = '' }) => [path, what, file])
    const facts = Object.entries(details).flatMap(([key, value]) => [key, String(value)])
    const said = [code, message, studentMessage, ...places, ...facts]
    if (said.every((text) => hidden(text) === text)) return error
    return new LabError({
      code: hidden(code) === code ? code : 'service-failed',
      kind,
      retry,
      message: hidden(message),
      studentMessage: hidden(studentMessage),
      issues: issues.map(({ path, message: what, file, ...place }) => ({
        path: hidden(path),
        message: hidden(what),
        ...(file === undefined ? {} : { file: hidden(file) }),
        ...place,
      })),
      details: Object.fromEntries(Object.entries(details).map(([key, value]) => [hidden(key), fact(value)])),
    })
  }
}

/** The items, with errors as clients may see them. */
export function hiddenIn(
  items: AsyncIterableIterator<unknown>,
  hide: (thrown: unknown) => Promise<LabError>,
): AsyncIterableIterator<unknown> {
  const source: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => source,
    next: async () => {
      try {
        return await items.next()
      } catch (thrown) {
        throw await hide(thrown)
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
