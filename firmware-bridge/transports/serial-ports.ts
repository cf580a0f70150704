/** What keeps a serial port from being opened, in words that say what to do; and the name that stays the same. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Folders, for tests elsewhere. */
export interface PortPlaces {
  readonly dev: string
  readonly groups: string
}

const PLACES: PortPlaces = { dev: '/dev', groups: '/etc/group' }
const MOST_SHOWN = 8
/** Names that go to whichever device is plugged in first. */
const NUMBERED = /\/tty(USB|ACM)\d+$/

/** The error for a port that could not be opened, `transport-unreachable`. */
export async function portError(path: string, cause: Error, places: PortPlaces = PLACES): Promise<LabError> {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `${path} cannot be opened: ${await reasonOf(path, cause.message, places)}`,
    studentMessage: 'An instrument of this bench cannot be reached. The staff can see why in the log.',
    details: { path },
    cause,
  })
}

async function reasonOf(path: string, message: string, places: PortPlaces): Promise<string> {
  if (/no such file|no such device|ENOENT|ENXIO|ENODEV/i.test(message)) {
    const there = await portsThere(places)
    const known = there.length === 0 ? 'there is no serial port' : `there are ${there.join(', ')}`
    return `it is not there; check that it is plugged in and has power (${known})`
  }
  if (/permission denied|EACCES|EPERM/i.test(message)) {
    const group = await groupOf(path, places)
    const { username } = userInfo()
    return `${username} may not use it: it must be in the group ${group}; type: sudo usermod -aG ${group} ${username}, then start the node anew`
  }
  if (/lock|busy|EBUSY|temporarily unavailable/i.test(message)) {
    return `another program has it; type: sudo fuser -v ${path}, to see which`
  }
  return `${message}; check that it is a serial port`
}

/** The ports of this machine, each by the name that stays the same where it has one. */
async function portsThere({ dev }: PortPlaces): Promise<string[]> {
  const stable = await stableNames(dev)
  const named = new Set(stable.map(({ device }) => device))
  const others = (await namesIn(dev))
    .filter((name) => /^tty(USB|ACM|AMA)\d+$/.test(name))
    .map((name) => join(dev, name))
  const all = [...stable.map(({ name }) => name), ...others.filter((path) => !named.has(path))]
  return all.length > MOST_SHOWN ? [...all.slice(0, MOST_SHOWN), `${all.length - MOST_SHOWN} more`] : all
}

/**
 * The name below /dev/serial/by-id, or by-path where makers gave no number, of a port that is named by a number which
 * the next start or plug may give to another; undefined where the given name is good or there is no better.
 */
export async function stableNameOf(path: string, { dev }: PortPlaces = PLACES): Promise<string | undefined> {
  if (!NUMBERED.test(path)) return undefined
  return (await stableNames(dev)).find(({ device }) => device === path)?.name
}

async function stableNames(dev: string): Promise<{ readonly name: string; readonly device: string }[]> {
  const found: { name: string; device: string }[] = []
  for (const folder of [join(dev, 'serial/by-id'), join(dev, 'serial/by-path')]) {
    for (const name of await namesIn(folder)) {
      const device = await realpath(join(folder, name)).catch(() => undefined)
      if (device === undefined || found.some((each) => each.device === device)) continue
      found.push({ name: join(folder, name), device })
    }
  }
  return found
}

/** Sorted; none where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}

/** The name of the group that a device belongs to; dialout, as in Debian, where that cannot be known. */
export async function groupOf(path: string, { groups }: PortPlaces = PLACES): Promise<string> {
  try {
    const [{ gid }, text] = await Promise.all([stat(path), readFile(groups, 'utf8')])
    const line = text.split('\n').find((each) => each.split(':')[2] === String(gid))
    const name = line?.split(':')[0]
    return name === undefined || name === 'root' ? 'dialout' : name
  } catch {
    return 'dialout'
  }
}
