import { fileURLToPath } from 'node:url'
import { buildStale } from '../build/build-stale.mjs'
import { installPackages } from '../install/install.mjs'
import { nodeVersionProblem } from '../install/node-version.mjs'

const parent = process.ppid
const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Sees to the right Node, the packages and the compiled code; returns false, having said why, when one cannot be had. A
 * machine that is only a node gets only what a node needs.
 */
export async function prepare({ only } = {}) {
  const problem = nodeVersionProblem(process.versions.node)
  if (problem !== undefined) process.stderr.write(`${problem}\n`)
  const say = (line) => process.stdout.write(`${line}\n`)
  const ready =
    problem === undefined &&
    installPackages(root, say, only === 'edge' ? 'edge' : undefined) &&
    (await buildStale(root, say, only === 'edge' ? ['node'] : undefined))
  // npm ends at a SIGTERM without passing it on: then nobody waits for what would start now.
  return ready && (process.env.npm_lifecycle_event === undefined || process.ppid === parent)
}
