/** The protocol of a live session: what lab.yaml says of it, with the step that lets a person's commands through. */
import type { LabFile } from '../contracts/lab-file.ts'
import { shownSignals } from '../contracts/panel.ts'
import { DEFAULT_RECORD_HZ, SILENCE_S, sessionTimes } from '../contracts/sessions.ts'
import type { Finding } from '../contracts/yaml-file.ts'
import { outlineParts } from './bench-view.ts'
import { protocolFindings } from './check-protocol.ts'
import { readStepList } from './parse.ts'
import { MAX_SECONDS, type Protocol, type RecordStep, type Step } from './protocol.ts'

/** The name under which a run has this protocol; no file can have it. */
export const SESSION_PROTOCOL = '_session'

/** Composes and checks the session of a lab; nothing for a lab that offers none. Findings have paths in lab.yaml. */
export function sessionProtocol(lab: LabFile): { protocol?: Protocol; findings: Finding[] } {
  const { session } = lab
  if (session === undefined) return { findings: [] }
  const prepare = readStepList(session.prepare ?? [], ['session', 'prepare'])
  const cleanUp = readStepList(session.cleanUp ?? [], ['session', 'cleanUp'])
  const unread = [...prepare.findings, ...cleanUp.findings]
  if (unread.length > 0) return { findings: unread }
  const { seconds, idleSeconds } = sessionTimes(session)
  const live: Step = {
    kind: 'live',
    seconds: { value: 'seconds', unit: 's' },
    idleS: idleSeconds,
    silenceS: SILENCE_S,
    ...(session.server === undefined ? {} : { server: session.server }),
  }
  // The server lets go of the bench before anything else moves on it.
  const ending: Step[] = session.server === undefined ? [] : [{ kind: 'dispose', part: session.server.part }]
  const protocol: Protocol = {
    title: { en: 'Live session', es: 'Sesión en vivo' },
    version: 1,
    restart: 'never',
    parameters: { seconds: { type: 'number', unit: 's', minimum: 1, maximum: MAX_SECONDS, default: seconds } },
    steps: [
      ...prepare.steps,
      recordsOf(lab).reduceRight<Step>((inner, record) => ({ ...record, steps: [inner] }), live),
    ],
    ...(ending.length + cleanUp.steps.length === 0 ? {} : { cleanUp: [...ending, ...cleanUp.steps] }),
    outputs: {},
    plots: [],
  }
  const context = { parts: outlineParts(lab.parts), outline: true as const }
  const found = protocolFindings(protocol, { ...context, ...(lab.limits === undefined ? {} : { limits: lab.limits }) })
  const findings = found.map(({ path, message }) => ({
    path: placeInFile(path, prepare.steps.length, ending.length),
    message,
  }))
  return findings.length > 0 ? { findings } : { protocol, findings }
}

function recordsOf({ session, panel, page, parts }: LabFile): RecordStep[] {
  const shown = panel !== undefined ? shownSignals(panel, parts) : page !== undefined ? readable(parts) : []
  const records =
    session?.record ?? (shown.length === 0 ? [] : [{ signals: shown, rate: DEFAULT_RECORD_HZ, stream: 'readings' }])
  return records.map(({ signals, rate, stream }) => ({ kind: 'record', signals, rate, stream }))
}

const MOST_SIGNALS = 64

/** What a page of the lab's own may want to show. */
function readable(parts: LabFile['parts']): string[] {
  const keys = Object.entries(parts).flatMap(([part, { signals }]) =>
    Object.entries(signals).flatMap(([name, { access, dtype }]) =>
      access === 'set' || dtype === 'string' || dtype === 'array' ? [] : [`${part}.${name}`],
    ),
  )
  return keys.slice(0, MOST_SIGNALS)
}

/** Where in lab.yaml a finding of the composed protocol comes from. */
function placeInFile(path: Finding['path'], prepared: number, endings: number): Finding['path'] {
  const [list, index, ...rest] = path
  if (list === 'cleanUp' && typeof index === 'number') {
    return index < endings ? ['session', 'server', 'part'] : ['session', list, index - endings, ...rest]
  }
  if (list !== 'steps' || typeof index !== 'number') return ['session']
  if (index < prepared) return ['session', 'prepare', index, ...rest]
  // Records stand one in another, the first outermost.
  const last = rest.lastIndexOf('record')
  const depth = rest.filter((key) => key === 'record').length - 1
  return ['session', 'record', depth, ...rest.slice(last + 1)]
}
