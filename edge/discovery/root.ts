/** The machine's files below a folder: `/`, or a copy of what a machine has there. */
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface Access {
  readonly uid: number
  readonly gid: number
  /** Permission bits, as 0o660. */
  readonly mode: number
}

export interface Root {
  /** The text of a file; undefined where there is none that can be read. */
  text(path: string): Promise<string | undefined>
  /** Names in a folder, sorted; none where there is no such folder. */
  list(path: string): Promise<string[]>
  /** The path with every link followed, below this root. */
  real(path: string): Promise<string | undefined>
  /** Whose it is, with links followed. */
  access(path: string): Promise<Access | undefined>
  /** Where a link points, as it is written. */
  link(path: string): Promise<string | undefined>
}

/** Reads below `folder`; nothing is changed by any of its calls. */
export function machineRoot(folder = '/'): Root {
  const at = (path: string) => join(folder, path)
  return {
    text: (path) => unlessMissing(async () => (await readFile(at(path), 'utf8')).replaceAll('\0', '').trim()),
    list: async (path) => (await unlessMissing(() => readdir(at(path))))?.sort(byNumber) ?? [],
    real: (path) =>
      unlessMissing(async () => {
        const top = await realpath(folder)
        const found = await realpath(at(path))
        return top === '/' ? found : found.slice(top.length)
      }),
    access: (path) =>
      unlessMissing(async () => {
        const { uid, gid, mode } = await stat(at(path))
        return { uid, gid, mode: mode & 0o777 }
      }),
    link: (path) => unlessMissing(() => readlink(at(path))),
  }
}

/** The same root read one file at a time, so that it never has more than one of the process's few threads for files. */
export function oneAtATime(root: Root): Root {
  let turn: Promise<unknown> = Promise.resolve()
  const after = <T>(read: () => Promise<T>): Promise<T> => {
    const next = turn.then(read)
    turn = next.catch(() => {})
    return next
  }
  return {
    text: (path) => after(() => root.text(path)),
    list: (path) => after(() => root.list(path)),
    real: (path) => after(() => root.real(path)),
    access: (path) => after(() => root.access(path)),
    link: (path) => after(() => root.link(path)),
  }
}

/** What the kernel and the file system say of a file that is not there, or of one that only others may read. */
const missing = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENODEV', 'ENXIO', 'EIO', 'EINVAL', 'ELOOP', 'EOPNOTSUPP']

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (missing.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

const byNumber = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true })
