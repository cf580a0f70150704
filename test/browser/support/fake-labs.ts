import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstrumentSpec, Limits, PartRequirement } from '@fernlab/shared/capabilities/signals'
import type { LabDetail } from '@fernlab/shared/contracts/api'
import type { Panel } from '@fernlab/shared/contracts/panel'
import { sessionTimes } from '@fernlab/shared/contracts/sessions'
import { estimate, sizeOf } from '@fernlab/shared/protocol/estimate'
import { checkLabFolder } from '@fernlab/shared/protocol/lab-folder'
import { parameterSchema } from '@fernlab/shared/protocol/parameters'

const folder = fileURLToPath(new URL('../../../shared/labs/', import.meta.url))

export interface FakeLab {
  readonly detail: LabDetail
  /** How it is driven live, where it is. */
  readonly session: { readonly times: ReturnType<typeof sessionTimes>; readonly panel: Panel } | undefined
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** The demo labs as a hub would serve them, read from their folders. */
export function readLabs(): Map<string, FakeLab> {
  const labs = new Map<string, FakeLab>()
  for (const id of ['diode-iv', 'membrane', 'rc-circuit']) {
    const files: Record<string, string | Uint8Array> = {}
    for (const path of readdirSync(join(folder, id), { recursive: true, encoding: 'utf8' })) {
      if (/\.(yaml|md)$/.test(path)) files[path] = readFileSync(join(folder, id, path), 'utf8')
      else if (/\.(svg|html|css|js)$/.test(path)) files[path] = readFileSync(join(folder, id, path))
    }
    const { lab, issues } = checkLabFolder(files, { folder: id })
    if (lab === undefined) throw new Error(`${id}: ${JSON.stringify(issues)}`)
    const { title, summary, subject, level, picture, session, panel } = lab.lab
    labs.set(id, {
      session: session === undefined || panel === undefined ? undefined : { times: sessionTimes(session), panel },
      files: lab.files,
      detail: {
        id,
        title: title as LabDetail['title'],
        summary: summary as LabDetail['summary'],
        ...(subject === undefined ? {} : { subject: subject as LabDetail['title'] }),
        ...(level === undefined ? {} : { level: level as LabDetail['title'] }),
        ...(picture === undefined ? {} : { picture: `/api/v1/labs/${id}/files/${picture}` }),
        version: 1,
        benches: [],
        queueLength: 0,
        estimatedWaitS: 0,
        readme: lab.readme,
        filesUrl: `/api/v1/labs/${id}/files/`,
        parts: instruments(lab.lab),
        ...(session === undefined ? {} : { session: sessionTimes(session) }),
        protocols: Object.entries(lab.protocols).map(([name, protocol]) => {
          const defaults = Object.fromEntries(
            Object.entries(protocol.parameters).flatMap(([key, { default: value }]) =>
              value === undefined ? [] : [[key, value]],
            ),
          )
          return {
            name,
            title: protocol.title as LabDetail['title'],
            ...(protocol.summary === undefined ? {} : { summary: protocol.summary as LabDetail['title'] }),
            version: protocol.version,
            digest: `sha256-${name}`.padEnd(64, '0'),
            restart: protocol.restart,
            parameters: parameterSchema(protocol),
            outputs: Object.fromEntries(
              Object.entries(protocol.outputs).map(([key, { title: text, unit }]) => [
                key,
                { title: text as LabDetail['title'], unit },
              ]),
            ),
            plots: [...protocol.plots],
            definition: protocol,
            estimate: sizeOf(estimate(protocol, defaults)),
          }
        }),
      },
    })
  }
  return labs
}

interface Needs {
  readonly parts: Readonly<Record<string, PartRequirement>>
  readonly limits?: Readonly<Record<string, Limits>> | undefined
}

/** Instruments that have just what the lab needs. */
function instruments({ parts, limits = {} }: Needs): Record<string, InstrumentSpec> {
  return Object.fromEntries(
    Object.entries(parts).map(([part, { signals, actions = [] }]) => [
      part,
      {
        name: part,
        driver: 'fake',
        signals: Object.entries(signals).map(([name, { unit, access, dtype = 'number' }]) => {
          const bounds = limits[`${part}.${name}`]
          return {
            name,
            unit,
            access,
            dtype,
            shape: [],
            kind: 'reading',
            ...(bounds === undefined ? {} : { limits: bounds }),
          }
        }),
        actions: actions.map((name) => ({ name, arguments: {} })),
      },
    ]),
  )
}
