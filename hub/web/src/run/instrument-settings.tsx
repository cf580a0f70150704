import type { Run } from '@fernlab/shared/contracts/api'
import { useQuery } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { useWords } from '../words/use-words.ts'
import { plain } from './plots.ts'
import styles from './run.module.css'

interface Setting {
  readonly name: string
  readonly value: number | string | boolean
  readonly unit: string
}

interface Descriptor {
  readonly configuration?: Readonly<
    Record<
      string,
      {
        readonly data: Readonly<Record<string, number | string | boolean>>
        readonly data_keys?: Readonly<Record<string, { readonly units?: string | null }>>
      }
    >
  >
}

/** How the instruments were set, as the run's documents state it. */
export function InstrumentSettings({ run }: { run: Run }) {
  const api = useApi()
  const words = useWords()
  const settings = useQuery({
    queryKey: ['runs', 'settings', run.id, run.attempt],
    queryFn: ({ signal }) => readSettings(api, run, signal),
    enabled: run.dataRemovedAt === undefined && Object.keys(run.rows).length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  return (
    <>
      {Object.entries(settings.data ?? {}).map(([instrument, items]) => (
        <div key={instrument} className={styles.instrument}>
          <h3>{plain(instrument)}</h3>
          <dl className={styles.pairs}>
            {items.map((item) => (
              <div key={item.name} className={styles.pair}>
                <dt>{plain(item.name)}</dt>
                <dd className="number">{words.value(item.value, item.unit)}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </>
  )
}

/** Reads the documents only as far as the first events: the settings stand before them. */
async function readSettings(api: Api, run: Run, signal: AbortSignal): Promise<Record<string, Setting[]>> {
  const enough = new AbortController()
  signal.addEventListener('abort', () => enough.abort(), { once: true })
  const found: Record<string, Setting[]> = {}
  const response = await api.open(
    `/api/v1/runs/${run.id}/documents?attempt=${run.attempt}`,
    { accept: 'application/jsonl, application/json' },
    enough.signal,
  )
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) break
    const lines = (rest + part.value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { name, doc } = JSON.parse(line) as { name: string; doc: Descriptor }
      if (name === 'event_page' || name === 'event' || name === 'stop') {
        enough.abort()
        return found
      }
      if (name === 'descriptor') Object.assign(found, settingsIn(doc))
    }
  }
  return found
}

function settingsIn(descriptor: Descriptor): Record<string, Setting[]> {
  return Object.fromEntries(
    Object.entries(descriptor.configuration ?? {})
      .filter(([, { data }]) => Object.keys(data).length > 0)
      .map(([instrument, { data, data_keys }]) => [
        instrument,
        Object.entries(data).map(([name, value]) => ({
          name: name.startsWith(`${instrument}_`) ? name.slice(instrument.length + 1) : name,
          value,
          unit: data_keys?.[name]?.units ?? '1',
        })),
      ]),
  )
}
