/** The answer about a list of people, whose JSON is made in parts: 50,000 links in one piece would hold up the event loop. */
import type { Imported } from '../accounts/import-people.ts'

/** The JSON of an `ImportedPeople`; each part is made when it is wanted. */
export function importAnswer({ people, ...rest }: Imported): Response {
  const parts = partsOf(JSON.stringify(rest), people)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      // A reader that never waits would take all parts in one turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
      const next = parts.next()
      if (next.done === true) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

function* partsOf(head: string, people: Imported['people']): Generator<string> {
  yield `${head.slice(0, -1)},"people":[`
  let separator = ''
  for (const some of people) {
    yield `${separator}${some.map((person) => JSON.stringify(person)).join(',')}`
    separator = ','
  }
  yield ']}'
}
