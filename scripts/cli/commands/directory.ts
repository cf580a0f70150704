import { directoryPath, partsOfAddress } from '@fernlab/shared/clients/typescript/directory'
import {
  type DirectoryEntry,
  type DirectoryService,
  directoryEntrySchema,
  directoryServiceSchema,
} from '@fernlab/shared/contracts/directory'
import { serviceNamed } from '@fernlab/shared/contracts/directory-search'
import { type ServiceState, serviceStateSchema } from '@fernlab/shared/contracts/services'
import { type Command, Option } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, openHub } from '../context.ts'
import { asksNodes, type LabOptions, openLab, withLab } from '../lab-client.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface SearchOptions extends LabOptions {
  readonly name?: string
  readonly prefix?: string
  readonly pattern?: string
  readonly tag: readonly string[]
  readonly anyTag: readonly string[]
  readonly state?: ServiceState
}

const several = (tag: string, tags: readonly string[]) => [...tags, tag]

/** `directory`: where services are, how they stand, and what one can do. */
export function addDirectory(program: Command, context: Context): void {
  const { terminal } = context
  withLab(
    program
      .command('directory [service]')
      .description('the services of all nodes, where each is and how it stands; what one can do'),
  )
    .option('--name <name>', 'those of this name, on whatever node')
    .option('--prefix <text>', 'those whose name begins so')
    .option('--pattern <pattern>', 'those whose name fits: * is any text, ? one letter')
    .option('--tag <tag>', 'those with the tag; several: with each of them', several, [])
    .option('--any-tag <tag>', 'those with the tag; several: with one of them', several, [])
    .addOption(new Option('--state <state>', 'those that stand so').choices(serviceStateSchema.options))
    .action(async (service: string | undefined, options: SearchOptions) => {
      if (service !== undefined) {
        const one = await oneService(context, options, service)
        return terminal.out(options.json ? JSON.stringify(one, null, 2) : serviceLines(one).join('\n'))
      }
      const found = await search(context, options)
      printList(terminal, found, {
        ...options,
        columns: {
          service: (item) => item.name,
          node: (item) => item.node,
          state: (item) => item.state,
          kind: (item) => item.kind,
          tags: (item) => item.tags.join(', '),
          'locked by': ({ lockedBy }) => (lockedBy === undefined ? '' : ownerOf(lockedBy)),
          since: ({ lockedBy }) => cellTime(lockedBy?.since) ?? '',
          'last seen': (item) => (item.state === 'gone' ? (cellTime(item.lastSeen) ?? '') : ''),
        },
        empty: [...queryOf(options)].some(([name]) => name !== 'limit' && name !== 'cursor')
          ? 'No service fits. "fernlab directory" lists all of them.'
          : asksNodes(options)
            ? 'No services here.'
            : 'No services yet: nodes tell of them as they connect.',
      })
    })
}

async function oneService(context: Context, options: SearchOptions, named: string): Promise<DirectoryService> {
  if (asksNodes(options)) {
    await using client = await openLab(context, options)
    const { contract, id } = await client.directory.get(named)
    const found = await client.directory.find({ name: partsOfAddress(id).service })
    return { ...serviceNamed(found, id), contract: contract as DirectoryService['contract'] }
  }
  const client = await openHub(context, options)
  const path = `/api/v1${directoryPath(named)}`
  return await client.call(directoryServiceSchema, path)
}

async function search(context: Context, options: SearchOptions): Promise<DirectoryEntry[]> {
  if (asksNodes(options)) {
    await using client = await openLab(context, options)
    const { name, prefix, pattern, tag, anyTag, state } = options
    return await client.directory.find({ name, prefix, pattern, tag: [...tag], anyTag: [...anyTag], state })
  }
  const client = await openHub(context, options)
  return await allPages(client, directoryEntrySchema, '/api/v1/directory', { query: queryOf(options) })
}

function queryOf({ name, prefix, pattern, tag, anyTag, state }: SearchOptions): URLSearchParams {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries({ name, prefix, pattern, state }))
    if (value !== undefined) query.set(key, value)
  for (const each of tag) query.append('tag', each)
  for (const each of anyTag) query.append('anyTag', each)
  return query
}

type LockedBy = NonNullable<DirectoryEntry['lockedBy']>

const ownerOf = ({ mine, person }: LockedBy): string => (mine ? 'you' : (person?.name ?? 'somebody'))

function lockText(lockedBy: LockedBy): string {
  const who = `${ownerOf(lockedBy)} since ${spokenTime(lockedBy.since)}`
  return lockedBy.reason === undefined ? who : `${who}: ${lockedBy.reason}`
}

function serviceLines(one: DirectoryService): string[] {
  const { contract, metadata, reason, lockedBy } = one
  const rows: [string, string][] = [
    ['address', one.address],
    ['state', reason === undefined ? one.state : `${one.state}: ${reason}`],
    ['locked by', lockedBy === undefined ? '' : lockText(lockedBy)],
    ['description', one.description ?? ''],
    ['kind', `${one.kind} ${one.version}`],
    ['tags', one.tags.join(', ')],
    ...Object.entries(metadata),
    ['reached at', one.addresses.join(', ')],
    ['actions', Object.keys(contract.actions).join(', ')],
    ['signals', Object.keys(contract.signals).join(', ')],
    ['events', Object.keys(contract.events).join(', ')],
    ['last seen', spokenTime(one.lastSeen)],
  ]
  const width = Math.max(...rows.map(([heading]) => heading.length))
  return rows.flatMap(([heading, text]) => (text === '' ? [] : [`${heading.padEnd(width)}  ${text}`]))
}
