// node scripts/deploy/stage-edge.mjs FOLDER: puts into a new folder all that a node needs, and nothing of the hub or
// the web page. With --check, ends with 1 where npm would have to install packages first.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativePackages } from '../build/native-packages.mjs'
import { missingPackages } from '../install/install.mjs'
import { prepare } from '../start/prepare.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [folder = ''] = process.argv.slice(2)

if (folder === '--check') process.exitCode = missingPackages(root, 'edge').length === 0 ? 0 : 1
else if (folder === '' || existsSync(folder)) {
  process.stderr.write(`say which folder to make: ${folder === '' ? 'none is named' : `${folder} is there already`}\n`)
  process.exitCode = 1
} else if (await prepare({ only: 'edge' })) stage()
else process.exitCode = 1

function stage() {
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'edge/dist/bundle'), join(folder, 'bundle'), { recursive: true })
  for (const place of packagePlaces()) cpSync(join(root, place), join(folder, place), { recursive: true })
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'fernlab-edge', version, private: true, type: 'module' }, null, 2)}\n`,
  )
}

/** Where the packages are that the bundle leaves out, with all that they depend on; optional ones only where they are. */
function packagePlaces() {
  const places = new Set()
  const take = (name, from) => {
    const place = placeOf(name, from)
    if (place === undefined || places.has(place)) return
    places.add(place)
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(root, place, 'package.json'), 'utf8'),
    )
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) take(each, place)
  }
  for (const name of nativePackages) take(name, '.')
  // What is inside another that is taken comes with it.
  return [...places].filter((place) => ![...places].some((other) => place.startsWith(`${other}/`)))
}

/** As Node looks for it: in the package's own node_modules, then further out. */
function placeOf(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(join(root, place, 'package.json'))) return place
    if (folder === '.') return undefined
  }
}
