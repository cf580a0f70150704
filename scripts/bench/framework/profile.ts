/** Where the time went: sums up the `.cpuprofile` files that `--profile` leaves in the results folder. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const MOST = 40

/** Writes `profile.txt` beside the profiles of each process: functions by their own time, one table per thread. */
export function summariseProfiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('profile-'))
    .map(({ name }) => {
      const files = readdirSync(join(folder, name)).filter((file) => file.endsWith('.cpuprofile'))
      const tables = files.map(
        (file) => `${file}\n${tableOf(JSON.parse(readFileSync(join(folder, name, file), 'utf8')))}`,
      )
      const path = join(folder, `${name}.txt`)
      writeFileSync(path, `${tables.join('\n\n')}\n`)
      return path
    })
}

function tableOf(profile: Profile): string {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const ownUs = new Map<string, number>()
  profile.samples.forEach((id, at) => {
    const name = names.get(id) ?? '?'
    ownUs.set(name, (ownUs.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0))
  })
  const busyUs = [...ownUs].reduce((sum, [name, us]) => (name.startsWith('(idle)') ? sum : sum + us), 0)
  return [...ownUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST)
    .map(
      ([name, us]) =>
        `${(us / 1000).toFixed(0).padStart(8)} ms ${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${name}`,
    )
    .join('\n')
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const place = url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^file:\/\/.*?\/(?=(hub|edge|shared|scripts|firmware-bridge)\/)/, '')
  return `${functionName || '(anonymous)'} ${place === '' ? '' : `${place}:${lineNumber + 1}`}`
}
