/**
 * The labs' texts as the page draws them.
 *
 * INVARIANTS: a text is read in a thread of its own, one at a time, so that none holds up the hub's loop; it is read
 * once for each version of its lab; one that cannot be read in time, or is too large then, is given as it was written.
 */
import type { ReadmeNode } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { startWorker } from '@fernlab/shared/storage/start-worker'
import type { CatalogueLab } from './catalogue.ts'
import type { ReadmeRequest } from './readme-worker.ts'

export interface Readme {
  /** Which it is in: the one that was asked for, or what there is. */
  readonly language: string
  /** The JSON of its `ReadmeNode`s. */
  readonly nodes: string
}

export interface Readmes {
  /** The lab's text, in English or whatever there is where it does not speak the language; undefined without any. */
  of(lab: CatalogueLab, language: string, filesUrl: string): Promise<Readme | undefined>
}

export interface ReadmesOptions {
  readonly clock: Clock
  readonly log: Log
  /** How long a text may take; 20 s unless given. */
  readonly limitMs?: number
}

const mostLetters = 4_000_000

/** Reads texts when they are first asked for; the latest version of each lab is kept. */
export function createReadmes({ clock, log, limitMs = 20_000 }: ReadmesOptions): Readmes {
  const known = new Map<string, { readonly version: number; readonly nodes: Promise<string> }>()
  let turn: Promise<unknown> = Promise.resolve()

  const read = (request: ReadmeRequest) =>
    new Promise<string>((resolve, reject) => {
      const thread = startWorker(import.meta.url, 'readme-worker', {
        name: 'readme',
        workerData: request,
        // KaTeX warns of letters whose width it has to guess; that is nothing for the hub's log.
        stdout: true,
        stderr: true,
        resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
      })
      thread.unref()
      const cancel = clock.after(limitMs, () => void thread.terminate())
      thread.once('message', (nodes: string) => {
        if (nodes.length <= mostLetters) return resolve(nodes)
        reject(unreadable(`it becomes ${nodes.length} letters, more than ${mostLetters}`))
      })
      thread.once('error', reject)
      thread.once('exit', () => {
        cancel()
        reject(unreadable(`it was not read within ${limitMs} ms`))
      })
    })
  const inTurn = (request: ReadmeRequest): Promise<string> => {
    const next = turn.then(() => read(request))
    turn = next.catch(() => {})
    return next
  }

  return {
    of: async (lab, wanted, filesUrl) => {
      const language = languageIn(lab.readme, wanted)
      const markdown = lab.readme[language]
      if (markdown === undefined) return undefined
      const key = `${lab.id} ${language}`
      const kept = known.get(key)
      if (kept?.version === lab.version) return { language, nodes: await kept.nodes }
      const nodes = inTurn({ markdown, filesUrl }).catch((error: unknown) => {
        const { id, version } = lab
        log.warn({ lab: id, version, language, error: String(error) }, 'a readme is shown as it was written')
        return JSON.stringify([asWritten(markdown)])
      })
      known.set(key, { version: lab.version, nodes })
      return { language, nodes: await nodes }
    },
  }
}

const unreadable = (why: string) => new LabError({ code: 'readme-unreadable', kind: 'caller', message: why })

const asWritten = (markdown: string): ReadmeNode => ({
  tag: 'pre',
  attributes: { style: { whiteSpace: 'pre-wrap' } },
  children: [markdown],
})

function languageIn(readme: CatalogueLab['readme'], wanted: string): string {
  const first = Object.keys(readme)[0] ?? 'en'
  return [wanted, wanted.split('-')[0] ?? '', 'en'].find((language) => Object.hasOwn(readme, language)) ?? first
}
