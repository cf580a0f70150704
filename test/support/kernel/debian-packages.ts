/** Debian packages unpacked into a folder of the cache: nothing of the machine is changed, and no root is needed. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { runCommand } from './run-command.ts'

export type DebianArchitecture = 'amd64' | 'arm64'

/** Debian 12, whatever the machine runs: the kernels under test are the same everywhere. */
const suites = ['debian bookworm', 'debian bookworm-updates', 'debian-security bookworm-security']
const backports = 'debian bookworm-backports'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

export interface DebianPackages {
  readonly architecture: DebianArchitecture
  readonly names: readonly string[]
  /** A meta package (as `linux-image-amd64`) whose first dependency is wanted too; `*` in a name is its version. */
  readonly versionOf?: { readonly meta: string; readonly prefix: string }
  /** From bookworm-backports. */
  readonly backports?: boolean
  /** From Debian 13 alone, for programs that are newer there; they come with their own libraries. */
  readonly trixie?: boolean
}

/** The folder that holds these packages' files, as they would lie below `/`. */
export function unpackedPackages(name: string, packages: DebianPackages): Promise<string> {
  return cached(name, [JSON.stringify({ packages, suites })], async (folder) => {
    const apt = await privateApt(join(folder, 'apt'), packages)
    const version = packages.versionOf === undefined ? '' : await versionOf(apt, packages.versionOf)
    const names = packages.names.map((each) => each.replace('*', version))
    const debs = join(folder, 'debs')
    mkdirSync(debs)
    await apt('apt-get', ['-qq', 'download', ...names], debs)
    for (const deb of readdirSync(debs)) await runCommand('dpkg', ['-x', join(debs, deb), folder])
    for (const spent of ['apt', 'debs']) rmSync(join(folder, spent), { recursive: true })
  })
}

/** The archive does not answer: a machine without network, which runs the other stages. */
export class NoArchive extends Error {
  override readonly name = 'NoArchive'
}

type Apt = (command: 'apt-get' | 'apt-cache', args: readonly string[], cwd?: string) => Promise<string>

/** apt with lists, state and sources of its own below the folder. */
async function privateApt(
  folder: string,
  { architecture, backports: fromBackports, trixie }: DebianPackages,
): Promise<Apt> {
  mkdirSync(join(folder, 'state/lists/partial'), { recursive: true })
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true })
  writeFileSync(join(folder, 'status'), '')
  const sources = trixie ? ['debian trixie'] : fromBackports ? [...suites, backports] : suites
  const lines = sources.map((source) => {
    const [archive, suite] = source.split(' ')
    return `deb [signed-by=${keyring}] http://deb.debian.org/${archive} ${suite} main\n`
  })
  writeFileSync(join(folder, 'sources.list'), lines.join(''))
  const options = [
    `Dir::State=${folder}/state`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
    ...(fromBackports ? ['APT::Default-Release=bookworm-backports'] : []),
  ].flatMap((option) => ['-o', option])
  const apt: Apt = (command, args, cwd = folder) => runCommand(command, [...options, ...args], { cwd })
  try {
    await apt('apt-get', ['-qq', 'update', '-o', 'APT::Update::Error-Mode=any'])
  } catch (error) {
    throw new NoArchive(error instanceof Error ? error.message : String(error))
  }
  return apt
}

async function versionOf(apt: Apt, { meta, prefix }: { meta: string; prefix: string }): Promise<string> {
  const text = await apt('apt-cache', ['depends', meta])
  const match = text.match(new RegExp(`Depends: ${prefix}(\\S+)`))
  if (match?.[1] === undefined) throw new Error(`${meta} does not depend on ${prefix}…: ${text}`)
  return match[1]
}
