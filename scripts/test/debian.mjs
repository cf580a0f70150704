import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const packages = JSON.parse(readFileSync(new URL('./debian.json', import.meta.url), 'utf8'))

/**
 * Sees to the Debian packages that these test files need: installs them where apt and root or sudo are there. Returns
 * a function that names, for a file, why it cannot run (as test/support/skips.json lists it), or undefined when it can.
 */
export function prepareDebian(files, say) {
  const wanted = Object.entries(packages).filter(([, need]) => files.some((file) => isFor(need, file)))
  let missing = wanted.filter(([, need]) => !isThere(need))
  if (missing.length > 0) {
    const refusal = install(
      missing.map(([name]) => name),
      say,
    )
    missing = missing.filter(([, need]) => !isThere(need))
    if (missing.length > 0) say(`cannot install ${missing.map(([name]) => name).join(', ')}: ${refusal}`)
  }
  return (file) => {
    const lacking = missing.filter(([, need]) => isFor(need, file)).map(([name]) => `needs ${name}`)
    return lacking.length === 0 ? undefined : lacking.join('; ')
  }
}

/** A package without a command is told by a file of its. */
const isThere = ({ command, file }) => (command === undefined ? existsSync(file) : onPath(command))

const isFor = (need, file) => need.for.some((prefix) => file.startsWith(prefix))

function install(names, say) {
  if (!onPath('apt-get')) return 'this system has no apt-get'
  const sudo = process.getuid() === 0 ? [] : ['sudo', '-n']
  if (sudo.length > 0 && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0)
    return 'neither root nor sudo'
  say(`Installing ${names.join(', ')} with apt-get …`)
  const apt = (...args) =>
    spawnSync([...sudo, 'apt-get'][0], [...sudo, 'apt-get', '-qq', ...args].slice(1), {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
    })
  const args = ['install', '-y', '--no-install-recommends', ...names]
  let result = apt(...args)
  if (result.status !== 0) {
    apt('update')
    result = apt(...args)
  }
  return result.status === 0 ? '' : `apt-get failed: ${lastLine(result.stderr)}`
}

const lastLine = (text) => (text ?? '').trim().split('\n').at(-1) ?? ''

function onPath(command) {
  return (
    (process.env.PATH ?? '').split(':').some((folder) => {
      const path = join(folder, command)
      if (!existsSync(path)) return false
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    }) || existsSync(join('/usr/sbin', command))
  )
}
