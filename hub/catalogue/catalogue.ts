/** The labs: loaded from a folder or pushed, every version kept. */
import { createHash } from 'node:crypto'
import type { LabFile } from '@fernlab/shared/contracts/lab-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { isName } from '@fernlab/shared/primitives/ids'
import { asLabError, formatIssues, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { protocolDigest } from '@fernlab/shared/protocol/digest'
import { checkLabFolder, type LabBundle } from '@fernlab/shared/protocol/lab-folder'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { readLabFolders, watchLabFolders } from './lab-folders.ts'

export interface CatalogueProtocol {
  readonly definition: Protocol
  readonly digest: string
}

/** One version of a lab, without the bytes of its files. */
export interface CatalogueLab {
  readonly id: string
  readonly version: number
  readonly digest: string
  readonly lab: LabFile
  readonly readme: Readonly<Record<string, string>>
  readonly protocols: Readonly<Record<string, CatalogueProtocol>>
  /** What its live sessions do; without, it offers none. */
  readonly session?: CatalogueProtocol
  /** Paths of the pictures and other files. */
  readonly files: readonly string[]
  readonly removed: boolean
}

export type LabFiles = Readonly<Record<string, string | Uint8Array>>

export interface PushedLab {
  readonly id: string
  readonly version: number
  readonly changed: boolean
}

export interface PushOptions {
  /** Person who pushes. */
  readonly by?: string
  /** The id that the lab must have; also its id where lab.yaml names none. */
  readonly id: string
  /** Does nothing when these very files were a version of the lab before, so that a later push wins over a folder. */
  readonly onlyNew?: boolean
}

export interface Catalogue {
  /** The latest version; undefined for an unknown or removed lab. */
  lab(id: string): Promise<CatalogueLab | undefined>
  /** A certain version, also of a removed lab. */
  version(id: string, version: number): Promise<CatalogueLab | undefined>
  protocol(lab: string, version: number, name: string): Promise<CatalogueProtocol | undefined>
  /** Every lab that is not removed, by id. */
  list(): Promise<readonly CatalogueLab[]>
  /** A file of the latest version. */
  file(lab: string, path: string): Promise<{ body: Uint8Array; digest: string } | undefined>
  /** A file of a certain version, also of a removed lab. */
  versionFile(lab: string, version: number, path: string): Promise<Uint8Array | undefined>
  /** Makes a new version when the files differ from the latest; throws `lab-invalid` with issues and changes nothing. */
  push(files: LabFiles, options: PushOptions): Promise<PushedLab>
  /** Takes the lab out of the catalogue; its versions stay readable for its runs. False when unknown. */
  remove(id: string, by?: string): Promise<boolean>
  /** Pushes each folder below `path` that holds a lab.yaml; one that is wrong is logged and left out. */
  loadFolder(path: string): Promise<readonly PushedLab[]>
  /** Loads the folder now and again whenever something in it changes; the returned function stops. */
  watchFolder(path: string): Promise<() => Promise<void>>
  onChange(listener: (lab: string) => void): () => void
}

export interface CatalogueOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

type StoredBundle = Pick<CatalogueLab, 'lab' | 'readme' | 'protocols' | 'session' | 'files'>

/** Opens the catalogue in the store. */
export function createCatalogue({ store, clock, log }: CatalogueOptions): Catalogue {
  /** What a version is stays so: each is read once. */
  const bundles = new Map<string, StoredBundle & { readonly digest: string }>()
  const listeners = new Set<(lab: string) => void>()
  const audit = auditEntries(store, clock)
  let turn: Promise<unknown> = Promise.resolve()

  const announce = (lab: string) => {
    for (const listener of listeners) listener(lab)
  }
  const bundleOf = async (lab: string, version: number): Promise<(StoredBundle & { digest: string }) | undefined> => {
    const key = `${lab}@${version}`
    const known = bundles.get(key)
    if (known !== undefined) return known
    const row = await store.db
      .selectFrom('lab_version')
      .select(['digest', 'bundle'])
      .where('lab', '=', lab)
      .where('version', '=', version)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const bundle = { ...(JSON.parse(row.bundle) as StoredBundle), digest: row.digest }
    bundles.set(key, bundle)
    return bundle
  }
  const versionOf = async (id: string, version: number, removed: boolean): Promise<CatalogueLab | undefined> => {
    const bundle = await bundleOf(id, version)
    return bundle === undefined ? undefined : { id, version, removed, ...bundle }
  }
  const rowOf = (id: string) => store.db.selectFrom('lab').selectAll().where('id', '=', id).executeTakeFirst()

  const push = async (all: LabFiles, options: PushOptions): Promise<PushedLab> => {
    const { by = null, id, onlyNew = false } = options
    const bundle = check(all, id)
    const files = partsOf(all, bundle)
    const digest = digestOf(files)
    const present = await rowOf(id)
    if (present !== undefined && present.digest === digest && present.removed_at === null) {
      return { id, version: present.version, changed: false }
    }
    const known = await store.db
      .selectFrom('lab_version')
      .select('version')
      .where('lab', '=', id)
      .where('digest', '=', digest)
      .executeTakeFirst()
    if (onlyNew && known !== undefined) return { id, version: present?.version ?? known.version, changed: false }
    const now = clock.now()
    const version = (present?.version ?? 0) + 1
    const row = { version, digest, pushed_at: now, pushed_by: by, removed_at: null }
    const stored = await toStored(bundle, files)
    await store.write([
      store.db
        .insertInto('lab_version')
        .values({ lab: id, version, digest, bundle: JSON.stringify(stored), created_at: now }),
      ...Object.entries(files).map(([path, content]) =>
        store.db.insertInto('lab_file').values({ lab: id, version, path, body: toBytes(content) }),
      ),
      store.db
        .insertInto('lab')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row)),
      audit(by, 'lab.push', id, { version, digest }),
    ])
    log.info({ lab: id, version }, 'a lab has a new version')
    announce(id)
    return { id, version, changed: true }
  }
  /** One after the other, so that versions count up without a gap. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work)
    turn = next.catch(() => {})
    return next
  }
  const pushFolders = async (path: string, onlyNew: boolean) => {
    const pushed: PushedLab[] = []
    for (const { id, files } of await readLabFolders(path)) {
      try {
        pushed.push(await inTurn(() => push(files, { id, onlyNew })))
      } catch (error) {
        const { code, message, issues } = asLabError(error)
        log.error({ code, lab: id, issues: formatIssues(issues) }, `the lab ${id} was not loaded: ${message}`)
      }
    }
    return pushed
  }

  return {
    lab: async (id) => {
      const row = await rowOf(id)
      return row === undefined || row.removed_at !== null ? undefined : versionOf(id, row.version, false)
    },
    version: async (id, version) => {
      const row = await rowOf(id)
      return row === undefined ? undefined : versionOf(id, version, row.removed_at !== null)
    },
    protocol: async (lab, version, name) => {
      const bundle = await bundleOf(lab, version)
      return bundle === undefined ? undefined : protocolIn(bundle, name)
    },
    list: async () => {
      const rows = await store.db.selectFrom('lab').selectAll().where('removed_at', 'is', null).orderBy('id').execute()
      const labs = await Promise.all(rows.map((row) => versionOf(row.id, row.version, false)))
      return labs.filter((lab) => lab !== undefined)
    },
    file: async (lab, path) => {
      const row = await store.db
        .selectFrom('lab_file')
        .innerJoin('lab', (join) =>
          join.onRef('lab.id', '=', 'lab_file.lab').onRef('lab.version', '=', 'lab_file.version'),
        )
        .select(['body'])
        .where('lab_file.lab', '=', lab)
        .where('path', '=', path)
        .where('removed_at', 'is', null)
        .executeTakeFirst()
      return row === undefined
        ? undefined
        : { body: row.body, digest: createHash('sha256').update(row.body).digest('hex') }
    },
    versionFile: async (lab, version, path) => {
      const row = await store.db
        .selectFrom('lab_file')
        .select('body')
        .where('lab', '=', lab)
        .where('version', '=', version)
        .where('path', '=', path)
        .executeTakeFirst()
      return row?.body
    },
    push: (files, options) => inTurn(() => push(files, options)),
    remove: async (id, by) => {
      const row = await rowOf(id)
      if (row === undefined || row.removed_at !== null) return false
      const now = clock.now()
      await store.write([
        store.db.updateTable('lab').set({ removed_at: now }).where('id', '=', id),
        audit(by ?? null, 'lab.remove', id),
      ])
      announce(id)
      return true
    },
    loadFolder: (path) => pushFolders(path, true),
    watchFolder: async (path) => {
      await pushFolders(path, true)
      return watchLabFolders({ path, clock, log, onChange: () => pushFolders(path, false).then(() => {}) })
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The protocol of that name, or of the lab's live sessions. */
export function protocolIn(
  { protocols, session }: Pick<CatalogueLab, 'protocols' | 'session'>,
  name: string,
): CatalogueProtocol | undefined {
  if (name === SESSION_PROTOCOL) return session
  return Object.hasOwn(protocols, name) ? protocols[name] : undefined
}

function check(files: LabFiles, id: string): LabBundle {
  const { lab, issues } = checkLabFolder(files, { folder: id })
  const wrongId =
    lab !== undefined && (lab.id !== id || !isName(id))
      ? [{ path: 'id', file: 'lab.yaml', message: `is ${JSON.stringify(lab.id)}, but the lab is pushed as ${id}` }]
      : []
  if (lab !== undefined && issues.length + wrongId.length === 0) return lab
  const all = [...issues, ...wrongId]
  throw new LabError({
    code: 'lab-invalid',
    kind: 'caller',
    message: `the lab has ${all.length === 1 ? 'a mistake' : `${all.length} mistakes`}; nothing was changed`,
    issues: all,
  })
}

/** The files that make the lab; whatever else lay in the folder is not kept. */
function partsOf(files: LabFiles, { files: pictures }: LabBundle): LabFiles {
  const own = /^(lab\.yaml|README[^/]*\.md|protocols\/[^/]+\.ya?ml)$/
  return Object.fromEntries(Object.entries(files).filter(([path]) => own.test(path) || Object.hasOwn(pictures, path)))
}

async function toStored({ lab, readme, protocols, session }: LabBundle, files: LabFiles): Promise<StoredBundle> {
  const digested = async (definition: Protocol) => ({ definition, digest: await protocolDigest(definition) })
  const named = Object.entries(protocols).map(async ([name, definition]) => [name, await digested(definition)] as const)
  return {
    lab,
    readme,
    protocols: Object.fromEntries(await Promise.all(named)),
    ...(session === undefined ? {} : { session: await digested(session) }),
    files: Object.keys(files).sort(),
  }
}

const toBytes = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content)

function digestOf(files: LabFiles): string {
  const hash = createHash('sha256')
  for (const path of Object.keys(files).sort()) {
    const body = toBytes(files[path] ?? '')
    hash.update(`${path.length} ${path} ${body.byteLength}\n`).update(body)
  }
  return hash.digest('hex')
}
