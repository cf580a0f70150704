/** The labs of the stand-in for the hub. */
import { extname } from 'node:path'
import type { LabDetail, LabSummary } from '@fernlab/shared/contracts/api'
import { renderReadme } from '../../../hub/catalogue/render-readme.ts'
import { type Area, json, listed, problem } from './fake-answers.ts'
import type { FakeLab } from './fake-labs.ts'
import { benches } from './fake-staff.ts'
import type { FakeState } from './fake-state.ts'

/** By a file's ending. */
export const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** The objects of `/api/v1/labs`. */
export function fakeCatalogue(hub: Pick<FakeState, 'empty'>, labs: ReadonlyMap<string, FakeLab>): Area {
  return ({ call, path, url, collection, id, verb, rest }) => {
    if (call === 'GET /api/v1/labs') {
      return listed(
        hub,
        [...labs.values()].map(({ detail }) => ({
          ...summaryOf(detail),
          benches: benchesOf(detail.id),
          estimatedWaitS: detail.id === 'rc-circuit' ? 0 : detail.id === 'membrane' ? 372 : null,
          queueLength: detail.id === 'membrane' ? 2 : 0,
        })),
      )
    }
    if (collection === 'labs') {
      const lab = labs.get(id)
      if (lab === undefined) return problem(404, 'lab-unknown')
      if (verb === 'files') {
        const file = lab.files[rest.join('/')]
        if (file === undefined) return problem(404, 'file-unknown')
        return { status: 200, type: contentTypes[extname(path)] ?? 'application/octet-stream', body: file }
      }
      if (verb === 'readme') {
        const asked = url.searchParams.get('language') ?? 'en'
        const language = Object.hasOwn(lab.detail.readme, asked) ? asked : 'en'
        return json({ language, nodes: renderReadme(lab.detail.readme[language] ?? '', lab.detail.filesUrl) })
      }
      return json({ ...lab.detail, benches: benchesOf(id) })
    }
    return undefined
  }
}

/** As a list of labs has them. */
const benchesOf = (lab: string): LabDetail['benches'] =>
  benches
    .filter(({ labs }) => labs.includes(lab))
    .map(({ id, title, state, reason }) => ({
      id,
      state,
      ...(title === undefined ? {} : { title }),
      ...(reason === undefined ? {} : { reason }),
    }))

function summaryOf({
  id,
  title,
  summary,
  subject,
  level,
  picture,
  version,
  protocols,
  ...rest
}: LabDetail): LabSummary {
  return {
    id,
    title,
    summary,
    ...(subject === undefined ? {} : { subject }),
    ...(level === undefined ? {} : { level }),
    ...(picture === undefined ? {} : { picture }),
    version,
    benches: rest.benches,
    queueLength: rest.queueLength,
    estimatedWaitS: rest.estimatedWaitS,
    protocols: protocols.map((protocol) => ({ name: protocol.name, title: protocol.title })),
  }
}
